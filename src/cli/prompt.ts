import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import type { Confirm } from '../engine/context.ts'
import { Problem } from '../model/problem.ts'
import { describeDiff, stepTitle } from '../report/format.ts'
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
  // readline catches Ctrl-C; the run must receive it.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    return (await lines.question(question)).trim()
  } finally {
    lines.close()
  }
}

/** Prompts for a secret without echo. @throws Problem without a terminal */
export async function askHidden(question: string): Promise<Secret> {
  if (!process.stdin.isTTY)
    throw new Problem(`${question.trim()} cannot be asked without a terminal`, {
      next: 'Set it in the inventory, for example with secret.env(…).',
    })
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    const answer = await lines.question('')
    return new Secret(() => answer)
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}

/** The prompt of `--step`. @throws Problem without a terminal */
export function confirmSteps(): Confirm {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new Problem('--step needs a terminal', { next: 'Run without it, or use --check to see the changes.' })
  return confirmWith(askLine)
}

/** Asks one question at a time, also when several hosts wait for an answer. `all` answers all later ones. */
export function confirmWith(ask: (question: string) => Promise<string>): Confirm {
  let last: Promise<unknown> = Promise.resolve()
  let all = false
  return (host, step, difference) => {
    const confirmed = last.then(async () => {
      while (!all) {
        const answer = await ask(`${host}: ${stepTitle(step)}: ${describeDiff(difference)}? [y/n/all] `)
        if (/^y(es)?$/i.test(answer)) return true
        if (/^n(o)?$/i.test(answer)) return false
        all = /^a(ll)?$/i.test(answer)
      }
      return true
    })
    last = confirmed.catch(() => {})
    return confirmed
  }
}
