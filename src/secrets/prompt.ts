import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { Problem } from '../model/problem.ts'
import { Secret } from '../shell/secret.ts'
import { announceInteraction, recordRefusal } from './interaction.ts'

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
