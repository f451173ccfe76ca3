import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { userInfo } from 'node:os'
import type { Connection, Exit, RemoteProcess, Transport } from './transport.ts'

/** This machine itself in place of the host, whatever its address. Commands start with the environment of a login, not with ours. */
export function localTransport(): Transport {
  return {
    async connect() {
      const { username, homedir } = userInfo()
      const login = {
        USER: username,
        LOGNAME: username,
        HOME: homedir,
        SHELL: '/bin/sh',
        PATH: '/usr/bin:/bin',
      }
      return localConnection({ env: login })
    },
  }
}

/** This machine as a host. */
export function localConnection(more: Pick<ChildOptions, 'env'> = {}): Connection {
  const running = new Set<RemoteProcess>()
  const traffic = { sent: 0, received: 0 }
  return {
    traffic,
    async start(command) {
      const wire = await spawnChild({ program: '/bin/sh', words: ['-c', command], cwd: '/', ...more })
      running.add(wire)
      void wire.ended.then(() => running.delete(wire))
      return wire
    },
    async close() {
      const wires = [...running]
      for (const wire of wires) wire.destroy()
      await Promise.all(wires.map(({ ended }) => ended))
    },
  }
}

export interface ChildOptions {
  readonly program: string
  readonly words: readonly string[]
  /** @default ours */
  readonly env?: Readonly<Record<string, string>>
  /** @default ours */
  readonly cwd?: string
}

/**
 * A process of this machine. It leads a process group, so that nothing of it is left when it is given up, and a session, so that
 * neither a Ctrl-C reaches it nor it a terminal to ask in.
 *
 * @throws Error when there is no such program
 */
export async function spawnChild({ program, words, env, cwd }: ChildOptions): Promise<RemoteProcess> {
  const leader = spawn(program, words, {
    stdio: 'pipe',
    detached: true,
    ...(env && { env }),
    ...(cwd && { cwd }),
  })
  const ended = new Promise<Exit>((resolve) => {
    leader.once('exit', (code, signal) => resolve(signal ? { signal } : { code: code ?? 0 }))
    leader.once('error', (error) => resolve({ lost: error.message }))
  })
  await once(leader, 'spawn')
  const { stdin, stdout, stderr, pid } = leader
  // A write to a spawnChild that has ended: its ending tells more.
  stdin.on('error', () => {})
  return { stdin, stdout, stderr, ended, destroy }

  function destroy(): void {
    // Once its end is known, the number may be another's.
    if (pid === undefined || leader.exitCode !== null || leader.signalCode !== null) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended, and we are about to hear of it.
    }
  }
}
