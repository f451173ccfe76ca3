import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Ending, Link, Wire } from './wire.ts'

/** This machine as a host. */
export function localLink(): Link {
  const running = new Set<Wire>()
  const traffic = { sent: 0, received: 0 }
  return {
    traffic,
    async start(command) {
      const wire = await child(command)
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

/** A shell that leads a process group, so that nothing of it is left when it is given up. */
async function child(command: string): Promise<Wire> {
  const shell = spawn('/bin/sh', ['-c', command], { stdio: 'pipe', detached: true, cwd: '/' })
  const ended = new Promise<Ending>((resolve) => {
    shell.once('exit', (code, signal) => resolve(signal ? { signal } : { code: code ?? 0 }))
    shell.once('error', (error) => resolve({ lost: error.message }))
  })
  await once(shell, 'spawn')
  const { stdin, stdout, stderr, pid } = shell
  // A write to a child that has ended: its ending tells more.
  stdin.on('error', () => {})
  return { stdin, stdout, stderr, ended, destroy }

  function destroy(): void {
    // Once its end is known, the number may be another's.
    if (pid === undefined || shell.exitCode !== null || shell.signalCode !== null) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended, and we are about to hear of it.
    }
  }
}
