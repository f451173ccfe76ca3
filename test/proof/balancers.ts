import type { Failure } from './load.ts'
import { type Figures, nothingFailed, type Row, underLoad, within } from './row.ts'
import type { Site } from './site.ts'

/** The minimum number of requests for the result "none failed". */
const MANY = 5_000

export const balancerRows: readonly Row[] = [
  {
    name: 'vip-off',
    event: "power-off of the address's holder",
    limit: '≤ 1.5 s',
    holds: within(1_500),
    run: (site) => holderOff(site),
    control: {
      what: 'the other balancer has no keepalived',
      run: (site) => aloneWithTheAddress(site, () => holderOff(site)),
    },
  },
  {
    name: 'vip-killed',
    event: 'haproxy killed on the holder',
    limit: '≤ 1 s',
    holds: within(1_000),
    run: (site) => onHolder(site, KILL),
    control: {
      what: 'systemd does not start it again, and the other has no keepalived',
      run: (site) =>
        aloneWithTheAddress(site, () =>
          onHolder(site, `${NO_RESTART}; ${KILL}`, `${RESTART_AGAIN}; systemctl start haproxy`),
        ),
    },
  },
  {
    name: 'vip-frozen',
    event: 'haproxy frozen on the holder',
    limit: '≤ 4.5 s',
    holds: within(4_500),
    run: (site) => onHolder(site, FREEZE, THAW, 6_000),
    control: {
      what: 'a check that only connects',
      run: (site) => onHolder(site, `${BLIND}; ${FREEZE}`, `${THAW}; ${SEEING}`, 6_000),
    },
  },
  {
    name: 'vip-moved',
    event: 'planned move of the address',
    limit: '≤ 0.5 s, at most 1 new connection failed',
    // A kept-alive connection ends with its balancer: TCP cannot move it.
    holds: (figures) => within(500)(figures) && onNew(figures).length <= 1,
    needs: 'maintenance',
    run: (site) => maintained(site),
    control: {
      what: 'haproxy is stopped instead',
      run: (site) => onHolder(site, 'systemctl stop haproxy', 'systemctl start haproxy'),
    },
  },
  {
    name: 'balancer-reload',
    event: 'reload of the balancer, three times',
    limit: '0 failed of ≥ 5,000',
    holds: hitless,
    run: (site) => onHolder(site, thrice('systemctl reload haproxy'), ':', 2_000, MANY),
    control: {
      what: 'restarts instead',
      run: (site) => onHolder(site, thrice('systemctl restart haproxy'), ':', 2_000),
    },
  },
]

function hitless(figures: Figures): boolean {
  return nothingFailed(figures) && (figures.asked ?? 0) >= MANY
}

const KILL = 'systemctl kill -s KILL haproxy'
const FREEZE = 'systemctl kill -s STOP haproxy'
const THAW = 'systemctl kill -s CONT haproxy'

const NO_RESTART = `mkdir -p /run/systemd/system/haproxy.service.d
printf '[Service]\\nRestart=no\\n' > /run/systemd/system/haproxy.service.d/zz-proof.conf
systemctl daemon-reload`
const RESTART_AGAIN = 'rm /run/systemd/system/haproxy.service.d/zz-proof.conf; systemctl daemon-reload'

const CHECK = '/usr/local/libexec/keepalived-check'
const BLIND = `cp -p ${CHECK} ${CHECK}.proof; printf '#!/bin/bash\\nexec 3<>/dev/tcp/127.0.0.1/8405\\n' > ${CHECK}`
const SEEING = `mv ${CHECK}.proof ${CHECK}`

function thrice(command: string): string {
  return `for n in 1 2 3; do ${command} || exit 1; sleep 3; done`
}

async function holderOff(site: Site): Promise<Figures> {
  const { holder } = await site.balancers()
  const seen = await underLoad(site, { act: () => site.lab.kill(holder) })
  await site.lab.start(holder)
  return seen
}

/** @param heal the command that restores the same host */
async function onHolder(site: Site, command: string, heal = ':', after = 4_000, count = 0): Promise<Figures> {
  const { holder } = await site.balancers()
  try {
    return await underLoad(site, { act: () => site.on(holder, command), after, count })
  } finally {
    await site.on(holder, heal)
  }
}

function onNew({ failed = [], unknown = [] }: Figures): readonly Failure[] {
  return [...failed, ...unknown].filter(({ lane }) => lane.startsWith('new'))
}

async function aloneWithTheAddress<T>(site: Site, body: () => Promise<T>): Promise<T> {
  const { other } = await site.balancers()
  await site.on(other, 'systemctl stop keepalived')
  try {
    return await body()
  } finally {
    await site.on(other, 'systemctl start keepalived')
  }
}

async function maintained(site: Site): Promise<Figures> {
  const { holder } = await site.balancers()
  const seen = await underLoad(site, {
    act: () => site.must('maintenance', '--host', holder),
  })
  await site.must('maintenance', '--host', holder, '--end')
  const lost = onNew(seen).length
  return { ...seen, besides: { good: lost <= 1, words: `${lost} of them on new connections` } }
}
