import { mkdirSync } from 'node:fs'
import { labPaths } from '../base/paths.ts'
import { run } from '../base/run.ts'
import { createBridge } from '../network/bridge.ts'
import { Gateway } from '../network/gateway.ts'
import { type Handlers, serveCalls } from './control.ts'
import { RunningLab } from './running-lab.ts'

/** The supervisor's descriptor of the machine's network namespace. */
export const OUTSIDE_FD = 3

/**
 * Runs the supervisor of a lab. It has its own network and mount namespaces, so its bridge, links and mounts end with it and its hosts. It
 * boots and restarts the hosts, and serves their ports and packages.
 */
export async function supervise(name: string): Promise<void> {
  process.on('unhandledRejection', (error) => console.error(error)) // An error of one host must not end the others.
  await hideOwnMounts()
  await createBridge()
  const lab = new RunningLab(name, new Gateway(`/proc/${process.pid}/fd/${OUTSIDE_FD}`))
  await serveCalls(labPaths(name).socket, handlers(lab))
}

function handlers(lab: RunningLab): Handlers {
  let last: Promise<unknown> = Promise.resolve()
  /** Runs one change at a time. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work)
    last = turn.catch(() => {})
    return turn
  }
  return {
    up: (order, log) => inTurn(() => lab.up(order, log)).then(() => null),
    status: async () => lab.status(),
    act: ({ verb, host }) => lab.act(verb, host).then(() => null),
    split: ({ a, b, apart }) => inTurn(() => lab.split(a, b, apart)).then(() => null),
    snapshot: ({ snapshot }, log) => inTurn(() => lab.snapshot(snapshot, log)).then(() => null),
    delay: async ({ host, ms }) => {
      lab.delay(host, ms)
      return null
    },
    slow: async ({ host, percent }) => {
      lab.slow(host, percent ?? undefined)
      return null
    },
  }
}

/** Hides the state of `ip netns` and systemd-nspawn under /run from other labs, which may have hosts of the same name. */
async function hideOwnMounts(): Promise<void> {
  for (const directory of ['/run/netns', '/run/systemd/nspawn']) {
    mkdirSync(directory, { recursive: true })
    await run('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', directory])
  }
}
