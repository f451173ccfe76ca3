import { footprint } from '../integration/support.ts'
import type { Outcome } from './outcome.ts'
import { type Figures, nothingFailed, type Row, underLoad, within } from './row.ts'
import type { Site } from './site.ts'

/** Measures the load of the machine itself: if this row does not hold, the figures of the others mean nothing. */
export const quiet: Row = {
  name: 'quiet',
  event: 'nothing happens',
  limit: '≤ 0.3 s, 0 failed',
  holds: (figures) => nothingFailed(figures) && within(300)(figures),
  run: (site) => underLoad(site, { act: async () => {}, after: 5_000 }),
}

export const wholeRows: readonly Row[] = [
  {
    name: 'reboot-all',
    event: 'all eight hosts rebooted at once',
    limit: 'healthy ≤ 90 s, no command given',
    holds: ({ seconds = Number.POSITIVE_INFINITY }) => seconds <= 90,
    run: (site) => allRebooted(site, '120s'),
    control: {
      what: 'nginx is not enabled, for 60 s',
      run: async (site) => {
        const nginx = (verb: string) =>
          Promise.all(['web1', 'web2'].map((host) => site.on(host, `systemctl ${verb} nginx`)))
        await nginx('disable')
        try {
          return await allRebooted(site, '60s').catch(() => ({
            besides: { good: false, words: 'not healthy after 60 s' },
          }))
        } finally {
          await nginx('enable --now')
        }
      },
    },
  },
  {
    name: 'second-run',
    event: 'second run of everything',
    limit: '0 changed, no file and no PID changed',
    holds: ({ besides }) => besides?.good ?? false,
    run: (site) => secondRun(site),
    control: {
      what: 'with a line that someone has added',
      run: (site) => secondRun(site, () => site.on('web1', 'echo "# mine" >> /etc/nginx/conf.d/site.conf')),
    },
  },
]

async function allRebooted(site: Site, limit: `${number}s`): Promise<Figures> {
  const began = performance.now()
  await Promise.all(site.lab.hosts.map(({ name }) => site.lab.reset(name)))
  await site.healthy(limit)
  return { seconds: (performance.now() - began) / 1000 }
}

/** @param meanwhile the event between the runs */
async function secondRun(site: Site, meanwhile?: () => Promise<unknown>): Promise<Figures> {
  await site.must('site')
  await meanwhile?.()
  const before = await footprint(site.lab)
  const { code, text, seconds } = await site.provision('site')
  const nothing = code === 0 && text.includes('No changes')
  const after = await footprint(site.lab)
  const moved = Object.keys(before).filter((host) => before[host] !== after[host])
  const words = [nothing ? '0 changed' : 'something changed', moved.length > 0 && `other on ${moved.join(', ')}`]
  return {
    seconds,
    besides: { good: nothing && moved.length === 0, words: words.filter(Boolean).join(', ') },
  }
}

/**
 * Converges the hosts. Compares the duration on bare hosts with that of their package manager alone, measured before and after,
 * since the machine is not equally fast for long.
 */
export async function firstRun(site: Site, { measure }: { readonly measure: boolean }): Promise<Outcome | undefined> {
  if (!measure) {
    await site.must('site')
    return undefined
  }
  const packages = await packagesOf(site)
  // The first installation fills the cache, on other hosts than the measured ones.
  await slowestInstallation(site, packages)
  const before = await slowestInstallation(site, packages)
  await site.renew()
  const { seconds } = await site.must('site')
  const after = await slowestInstallation(site, packages)
  await site.renew()
  await site.must('site')
  const own = (before + after) / 2
  const ratio = seconds / own
  return {
    name: 'first',
    event: 'site converged from bare hosts, packages cached',
    limit: "≤ 1.5 × the slowest host's own installation of its packages",
    result: ratio <= 1.5 ? 'held' : 'not held',
    figures: `${seconds.toFixed(1)} s, and ${before.toFixed(1)} s before and ${after.toFixed(1)} s after on its own: × ${ratio.toFixed(2)}`,
    times: [],
    operator: undefined,
    controlFailed: undefined,
    control: '',
  }
}

type Packages = ReadonlyMap<string, ReadonlySet<string>>

/** Returns the packages of each host from the plan for bare hosts. */
async function packagesOf(site: Site): Promise<Packages> {
  const { text } = await site.provision('site', '--check', '--output', 'json')
  const packages = new Map<string, ReadonlySet<string>>()
  for (const line of text.split('\n').filter((one) => one.startsWith('{'))) {
    const { kind, host, step } = JSON.parse(line) as {
      readonly kind: string
      readonly host: string
      readonly step?: { readonly kind: string; readonly name: string }
    }
    if (kind !== 'step' || step?.kind !== 'package') continue
    packages.set(host, new Set([...(packages.get(host) ?? []), ...step.name.split(/[\s,]+/)]))
  }
  return packages
}

/** Returns the seconds that apt takes for them on bare hosts, all at once; the slowest host counts. */
async function slowestInstallation(site: Site, packages: Packages): Promise<number> {
  await site.renew()
  const times = await Promise.all(
    [...packages].map(async ([host, names]) => {
      const began = performance.now()
      await site.on(
        host,
        `export DEBIAN_FRONTEND=noninteractive; apt-get -q update && apt-get -q -y --no-install-recommends install ${[...names].join(' ')}`,
      )
      return (performance.now() - began) / 1000
    }),
  )
  return Math.max(...times)
}
