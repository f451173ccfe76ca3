import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Problem } from '../model/problem.ts'
import { Secret } from '../shell/secret.ts'

export async function askYes(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await lines.question(question)).trim())
  } finally {
    lines.close()
  }
}

export async function askLine(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  // Ctrl-C is the run's affair, also while a question stands.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    return (await lines.question(question)).trim()
  } finally {
    lines.close()
  }
}

/** Asks for something that is not shown while it is typed. */
export async function askHidden(question: string): Promise<Secret> {
  if (!process.stdin.isTTY)
    throw new Problem(`${question.trim()} there is no terminal to ask in`, {
      next: 'Give it in the inventory, for example by secret.env(…).',
    })
  process.stderr.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  try {
    const answer = await lines.question('')
    return new Secret(() => answer)
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
