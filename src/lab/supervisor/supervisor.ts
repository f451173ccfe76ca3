import { mkdirSync } from 'node:fs'
import { createBridge } from '../network/bridge.ts'
import { Gateway } from '../network/gateway.ts'
import { labPaths } from '../paths.ts'
import { run } from '../run.ts'
import { type Handlers, serveCalls } from './control.ts'
import { RunningLab } from './running-lab.ts'

/** The number under which the supervisor was given the machine's own network namespace when it was started. */
export const OUTSIDE_FD = 3

/**
 * The process that is a lab: it lives in a network and a mount namespace of its own, so whatever it makes there (bridge,
 * cables, mounts) goes with it and its hosts. It boots the hosts, starts them again, serves their ports and packages.
 */
export async function supervise(name: string): Promise<void> {
  process.on('unhandledRejection', (error) => console.error(error)) // one host's trouble does not end the others
  await hideOwnMounts()
  await createBridge()
  const lab = new RunningLab(name, new Gateway(`/proc/${process.pid}/fd/${OUTSIDE_FD}`))
  await serveCalls(labPaths(name).socket, handlers(lab))
}

function handlers(lab: RunningLab): Handlers {
  let last: Promise<unknown> = Promise.resolve()
  /** One change at a time. */
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

/** `ip netns` and systemd-nspawn keep their books under /run; this lab's are its own, as two labs may have hosts of one name. */
async function hideOwnMounts(): Promise<void> {
  for (const directory of ['/run/netns', '/run/systemd/nspawn']) {
    mkdirSync(directory, { recursive: true })
    await run('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', directory])
  }
}
