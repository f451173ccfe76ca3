import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { userInfo } from 'node:os'
import type { Connection, Exit, RemoteProcess, Transport } from './transport.ts'

/** Uses this machine as the host, whatever the target's address. Commands get the environment of a login and not this process's. */
export function localTransport(): Transport {
  return {
    async connect() {
      const { username, homedir } = userInfo()
      const env = { USER: username, LOGNAME: username, HOME: homedir, SHELL: '/bin/sh', PATH: '/usr/bin:/bin' }
      return localConnection({ env })
    },
  }
}

/** A connection to this machine. @param options `env`: @default that of this process */
export function localConnection({ env }: Pick<SpawnOptions, 'env'> = {}): Connection {
  const running = new Set<RemoteProcess>()
  return {
    traffic: { sent: 0, received: 0 },
    async start(command) {
      const child = await spawnProcess('/bin/sh', ['-c', command], { cwd: '/', ...(env && { env }) })
      running.add(child)
      void child.exit.then(() => running.delete(child))
      return child
    },
    async close() {
      const children = [...running]
      for (const child of children) child.destroy()
      await Promise.all(children.map(({ exit }) => exit))
    },
  }
}

interface SpawnOptions {
  /** @default that of this process */
  readonly env?: Readonly<Record<string, string>>
  /** @default that of this process */
  readonly cwd?: string
}

/**
 * Starts a local process as leader of its own process group and session: destroying it kills all that it started, Ctrl-C does not
 * reach it, and it has no terminal to prompt on.
 *
 * @throws Error if there is no such program
 */
export async function spawnProcess(
  program: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<RemoteProcess> {
  const leader = spawn(program, args, { stdio: 'pipe', detached: true, ...options })
  const exit = new Promise<Exit>((resolve) => {
    leader.once('exit', (code, signal) => resolve(signal ? { signal } : { code: code ?? 0 }))
    leader.once('error', (error) => resolve({ lost: error.message }))
  })
  await once(leader, 'spawn')
  const { stdin, stdout, stderr, pid } = leader
  // Writing to a process that has ended: `exit` has the better information.
  stdin.on('error', () => {})
  return { stdin, stdout, stderr, exit, destroy }

  function destroy(): void {
    // After its end the pid may belong to another process.
    if (pid === undefined || leader.exitCode !== null || leader.signalCode !== null) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended; its exit event is pending.
    }
  }
}
