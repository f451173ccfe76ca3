import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Ending, Wire } from './wire.ts'

export interface ChildParts {
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
export async function child({ program, words, env, cwd }: ChildParts): Promise<Wire> {
  const leader = spawn(program, words, {
    stdio: 'pipe',
    detached: true,
    ...(env && { env }),
    ...(cwd && { cwd }),
  })
  const ended = new Promise<Ending>((resolve) => {
    leader.once('exit', (code, signal) => resolve(signal ? { signal } : { code: code ?? 0 }))
    leader.once('error', (error) => resolve({ lost: error.message }))
  })
  await once(leader, 'spawn')
  const { stdin, stdout, stderr, pid } = leader
  // A write to a child that has ended: its ending tells more.
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
