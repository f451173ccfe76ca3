import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { Problem } from '../model/problem.ts'
import { Secret } from '../shell/secret.ts'
import { age } from './age.ts'
import { announceInteraction, recordRefusal } from './interaction.ts'

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

  /** The output of a program, without the trailing line break: `secret.command('pass', 'show', 'shop/app')`. */
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

/** Prompts for a secret at the terminal, without echo, once, at its first use. */
export function prompted(label: string): Secret {
  announceInteraction()
  return new Secret(() => {
    const terminal = process.stdin.isTTY ? terminalOf() : undefined
    if (terminal === undefined) throw noTerminal(label)
    try {
      return unseen(terminal, `${label}: `, label)
    } finally {
      closeSync(terminal)
    }
  })
}

function terminalOf(): number | undefined {
  try {
    return openSync('/dev/tty', 'r+')
  } catch {
    return undefined
  }
}

function noTerminal(label: string): Problem {
  return new Problem(`The secret "${label}" needs a terminal to ask for it, and there is none`, {
    next: 'Run it in a terminal, or give the secret another source in the inventory: secret.env(…), secret.file(…), secret.age(…) or secret.command(…).',
  })
}

/**
 * Erases the question after the answer and ends no line, so that the rows of a live display keep their places. Interrupts are read as
 * characters, because no signal handler runs during the synchronous read.
 */
function unseen(terminal: number, question: string, label: string): string {
  const before = stty(terminal, '-g').trim()
  stty(terminal, '-icanon', '-echo', '-isig', 'min', '1')
  try {
    writeSync(terminal, `\r${ERASE_LINE}${question}`)
    return typed(terminal, label)
  } finally {
    writeSync(terminal, `\r${ERASE_LINE}`)
    stty(terminal, before)
  }
}

const ERASE_LINE = '\x1b[K'
const [INTERRUPT, END, ERASE_ALL] = [0x03, 0x04, 0x15]
const ENTER = [0x0a, 0x0d]
const BACKSPACE = [0x08, 0x7f]

function typed(terminal: number, label: string): string {
  const one = Buffer.alloc(1)
  let bytes: number[] = []
  for (;;) {
    const [byte = END] = readSync(terminal, one) === 0 ? [] : one
    if (byte === INTERRUPT || (byte === END && bytes.length === 0)) {
      throw recordRefusal(new Problem(`The secret "${label}" was not given`))
    }
    if (byte === END || ENTER.includes(byte)) return Buffer.from(bytes).toString()
    if (byte === ERASE_ALL) bytes = []
    else if (BACKSPACE.includes(byte))
      bytes = [...Buffer.from([...Buffer.from(bytes).toString()].slice(0, -1).join(''))]
    else bytes.push(byte)
  }
}

function stty(terminal: number, ...args: readonly string[]): string {
  return execFileSync('stty', args, { stdio: [terminal, 'pipe', 'ignore'], encoding: 'utf8' })
}
