import { type Figures, nothingFailed, pause, type Row, underLoad } from './row.ts'
import type { Site } from './site.ts'

const MANY = 5_000

/** The time without any host in a control, in milliseconds: longer than the timeout of the client. */
const BOTH_AWAY = 7_000

/** The time after which a host that is away must not receive new requests, in milliseconds: two checks of half a second, and their answers. */
const NOTICED = 2_000

export const serverRows: readonly Row[] = [
  {
    name: 'web-reload',
    event: 'reload of the web servers, three times each',
    limit: '0 failed of ≥ 5,000',
    holds: (figures) => nothingFailed(figures) && (figures.asked ?? 0) >= MANY,
    run: (site) => onWeb(site, 'systemctl reload nginx', MANY),
    control: {
      what: 'killed and started instead',
      run: (site) => onWeb(site, 'systemctl kill -s KILL nginx; sleep 0.2; systemctl restart nginx'),
    },
  },
  away('web', 'off', 'powered off'),
  away('web', 'frozen', 'frozen'),
  away('app', 'off', 'powered off'),
  away('app', 'frozen', 'frozen'),
]

function away(tier: 'web' | 'app', how: 'off' | 'frozen', words: string): Row {
  return {
    name: `${tier}-${how}`,
    event: `${tier === 'web' ? 'a web' : 'an app'} host ${words}`,
    limit: '≤ 1 s without an answer, none begun 2 s after fails',
    holds: ({ gap = Number.POSITIVE_INFINITY, lost = 0, besides }) =>
      gap <= 1_000 && lost === 0 && (besides?.good ?? false),
    run: (site) => gone(site, [`${tier}2`], how),
    control: {
      what: `both of them ${words}, for ${BOTH_AWAY / 1000} s`,
      run: (site) => gone(site, [`${tier}1`, `${tier}2`], how),
    },
  }
}

async function gone(site: Site, hosts: readonly string[], how: 'off' | 'frozen'): Promise<Figures> {
  const all = (verb: 'kill' | 'start' | 'freeze' | 'thaw') => Promise.all(hosts.map((host) => site.lab[verb](host)))
  let at = 0
  const both = hosts.length > 1
  const seen = await underLoad(site, {
    act: async () => {
      at = Date.now()
      await all(how === 'off' ? 'kill' : 'freeze')
      await pause(both ? BOTH_AWAY : 6_000)
      if (both) await all(how === 'off' ? 'start' : 'thaw')
    },
    after: both ? 3_000 : 0,
  })
  if (!both) await all(how === 'off' ? 'start' : 'thaw')
  // Earlier requests were on the host, or on their way there.
  const later = [...seen.failed, ...seen.unknown].filter(({ begun }) => begun > at + NOTICED)
  return {
    ...seen,
    besides: { good: later.length === 0, words: `${later.length} of them begun more than 2 s after` },
  }
}

async function onWeb(site: Site, command: string, count = 0): Promise<Figures> {
  return underLoad(site, {
    act: async () => {
      for (let n = 0; n < 3; n++)
        for (const host of ['web1', 'web2']) {
          await site.on(host, command)
          await pause(1_500)
        }
    },
    after: 1_000,
    count,
  })
}
