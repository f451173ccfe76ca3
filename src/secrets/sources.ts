import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Problem } from '../model/problem.ts'
import { Secret } from '../shell/secret.ts'
import { age } from './age.ts'
import { announceInteraction } from './interaction.ts'
import { prompted } from './prompt.ts'

/**
 * Sources of secrets. Each is read at its first use, so a run that needs no secret asks for none.
 *
 * @example
 * inventory(inventorySchema({ password: credential, db: hosts() }), {
 *   password: secret.env('NOTES_DB_PASSWORD'),
 *   db: { hosts: { db1: { address: '10.0.4.1' } } },
 * })
 */
export const secret = {
  /** A literal value. For labs only: a value in a source file is not secret. */
  of: (value: string): Secret => new Secret(() => value),

  /** An environment variable of the process that runs `provision`. */
  env: (name: string): Secret =>
    new Secret(() => {
      const value = process.env[name]
      if (value) return value
      throw new Problem(`The secret $${name} is not set`, { next: `Set it for this command: ${name}=… provision …` })
    }),

  /** The content of a file, without the trailing line break. */
  file: (path: string): Secret =>
    new Secret(() => {
      try {
        return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
      } catch (error) {
        throw new Problem(
          `The secret file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
          { next: 'Give its path, relative to where the command is run.' },
        )
      }
    }),

  /** The output of a program, without the trailing line break: `secret.command('pass', 'show', 'notes/app')`. */
  command: (program: string, ...args: readonly string[]): Secret => {
    announceInteraction()
    return new Secret(() => {
      try {
        const printed = execFileSync(program, args, { encoding: 'utf8', stdio: ['inherit', 'pipe', 'inherit'] })
        return printed.replace(/\r?\n$/, '')
      } catch (error) {
        throw new Problem(
          `The secret of "${[program, ...args].join(' ')}" could not be read: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
          { next: 'Run the program yourself: it must print the secret and exit with status 0.' },
        )
      }
    })
  },

  /** A file encrypted with age: `secret.age('secrets/vrrp.age')`. */
  age,

  /** Prompts at the terminal at its first use, without echo: `secret.prompt('Password of the replicas')`. */
  prompt: prompted,

  /** Text that contains secrets: secret.text`user=${name} password=${password}`. */
  text: (strings: TemplateStringsArray, ...values: readonly (string | number | Secret)[]): Secret =>
    new Secret(() => strings.reduce((all, part, i) => all + String(open(values[i - 1] ?? '')) + part)),
}

function open(value: string | number | Secret): string | number {
  return value instanceof Secret ? value.reveal() : value
}
