import { type Figures, nothingFailed, pause, type Row, underLoad } from './row.ts'
import type { Site } from './site.ts'

export const databaseRows: readonly Row[] = [
  {
    name: 'switchover',
    event: 'database switchover',
    limit: '≤ 0.5 s without a write, 0 lost, 0 failed',
    holds: (figures) => nothingFailed(figures) && (figures.writeGap ?? Number.POSITIVE_INFINITY) <= 500,
    needs: 'switchover',
    run: (site) => underLoad(site, { act: () => site.must('switchover') }),
    control: {
      what: 'the primary is restarted instead',
      run: async (site) => {
        const { primary } = await site.databases()
        return underLoad(site, {
          act: () => site.on(primary, "systemctl kill -s KILL 'postgresql@*-main.service'"),
        })
      },
    },
  },
  failover('failover-killed', 'primary killed', (site, primary) => site.on(primary, STAYS_DOWN)),
  failover('failover-off', 'primary powered off', (site, primary) => site.lab.kill(primary)),
]

const STAYS_DOWN =
  "systemctl mask --runtime -q 'postgresql@15-main' 'postgresql@17-main'; systemctl kill -s KILL 'postgresql@*-main.service'"

function failover(name: string, event: string, end: (site: Site, primary: string) => Promise<unknown>): Row {
  return {
    name,
    event: `${event}, an operator fails over`,
    limit: '≤ 3 s after the command, 0 writes lost',
    holds: ({ seconds = Number.POSITIVE_INFINITY, lost = 1 }) => seconds <= 3 && lost === 0,
    needs: 'failover',
    run: (site) => failedOver(site, end, { asynchronous: false }),
    control: {
      what: 'asynchronous replication, and a replica that is cut off for the last second',
      run: (site) => failedOver(site, end, { asynchronous: true }),
    },
  }
}

async function failedOver(
  site: Site,
  end: (site: Site, primary: string) => Promise<unknown>,
  { asynchronous }: { readonly asynchronous: boolean },
): Promise<Figures> {
  const { primary, replica } = await site.databases()
  let command = 0
  try {
    const seen = await underLoad(site, {
      act: async () => {
        if (asynchronous) {
          await site.query(primary, "alter system set synchronous_standby_names = ''", 'postgres')
          await site.query(primary, 'select pg_reload_conf()', 'postgres')
          await pause(500)
          await site.lab.split(primary, replica)
          await pause(1_500)
        }
        await end(site, primary)
        await pause(1_000)
        command = Date.now()
        await site.must('failover', ...(asynchronous ? ['--accept-data-loss'] : []))
      },
    })
    const back = seen.written.find((at) => at > command)
    return { ...seen, seconds: back === undefined ? Number.POSITIVE_INFINITY : (back - command) / 1000 }
  } finally {
    await site.lab.heal(primary, replica)
    await site.lab.start(primary).catch(() => {})
    await site.on(primary, "systemctl unmask --runtime -q 'postgresql@15-main' 'postgresql@17-main'")
    await site.must('rejoin', '--host', primary)
    if (asynchronous)
      await site.query(primary, 'alter system reset synchronous_standby_names', 'postgres').catch(() => {})
    await site.must('site', '--limit', 'db')
  }
}
