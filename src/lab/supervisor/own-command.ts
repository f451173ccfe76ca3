import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Runs this same package's command line in a process of its own, from sources as from compiled code. */
export function ownCommand(...args: readonly string[]): readonly string[] {
  return [process.execPath, '--max-semi-space-size=1', programPath(), ...args]
}

function programPath(): string {
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    const program = join(directory, 'bin', 'provision.js')
    if (existsSync(program)) return program
    if (directory === dirname(directory)) throw new Error('bin/provision.js is not in this package')
  }
}
