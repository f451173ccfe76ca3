import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Problem } from '../model/problem.ts'
import { Secret } from '../shell/secret.ts'
import { age } from './age.ts'
import { attend } from './attention.ts'
import { prompted } from './prompt.ts'

/**
 * Where secrets come from. Each is asked for at its first use, so that a run which needs none asks for none.
 *
 * @example
 * inventory(inventorySchema({ password: credential, db: hosts() }), {
 *   password: secret.env('NOTES_DB_PASSWORD'),
 *   db: { hosts: { db1: { address: '10.0.4.1' } } },
 * })
 */
export const secret = {
  /** A value that stands in the text. For labs: what stands in a file is no secret. */
  of: (value: string): Secret => new Secret(() => value),

  /** An environment variable of the process that runs `provision`. */
  env: (name: string): Secret =>
    new Secret(() => {
      const value = process.env[name]
      if (value) return value
      throw new Problem(`The secret $${name} is not set`, {
        next: `Set it for this command: ${name}=… provision …`,
      })
    }),

  /** A file, without the line break at its end. */
  file: (path: string): Secret =>
    new Secret(() => {
      try {
        return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
      } catch (error) {
        throw new Problem(
          `The secret file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
          { next: 'Give its path, from where the command is given.' },
        )
      }
    }),

  /** What a program prints, without the line break at its end: `secret.command('pass', 'show', 'notes/app')`. */
  command: (program: string, ...args: readonly string[]): Secret => {
    attend()
    return new Secret(() => {
      try {
        const printed = execFileSync(program, args, {
          encoding: 'utf8',
          stdio: ['inherit', 'pipe', 'inherit'],
        })
        return printed.replace(/\r?\n$/, '')
      } catch (error) {
        throw new Problem(
          `The secret of "${[program, ...args].join(' ')}" could not be had: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
          { next: 'Try it by itself: it has to print the secret, and to end with exit status 0.' },
        )
      }
    })
  },

  /** A file encrypted with age: `secret.age('secrets/vrrp.age')`. */
  age,

  /** What a person types, unseen, when it is needed: `secret.prompt('Password of the replicas')`. */
  prompt: prompted,

  /** Text with secrets in it, which is a secret itself: secret.text`user=${name} password=${password}`. */
  text: (strings: TemplateStringsArray, ...values: readonly (string | number | Secret)[]): Secret =>
    new Secret(() => strings.reduce((all, part, i) => all + String(open(values[i - 1] ?? '')) + part)),
}

function open(value: string | number | Secret): string | number {
  return value instanceof Secret ? value.reveal() : value
}
