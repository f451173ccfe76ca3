import { createWriteStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { execa } from 'execa'
import { elapsed } from '../../src/shell/duration.ts'
import { ROOT } from '../integration/support.ts'
import { figuresIn, type Result, resultsIn } from '../support/results.ts'
import { type Done, failedOf } from './done.ts'
import type { Part } from './parts.ts'

/** The interval of progress messages, in ms. */
const EVERY = 60_000

/** Runs a part to its end, and writes its output and results to its own folder. */
export async function runPart(part: Part, into: string, signal: AbortSignal): Promise<Done> {
  const folder = join(into, part.name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const at = new Date().toISOString()
  const began = performance.now()
  const telling = setInterval(() => {
    console.log(`  ${part.name}: ${elapsed(performance.now() - began)}, ${counted(resultsIn(folder))}`)
  }, EVERY)
  const ended = await attempt(part, folder, signal)
  clearInterval(telling)
  const seconds = (performance.now() - began) / 1000
  await reported(folder)
  const done = {
    ...{ part: part.name, about: part.about, ended: ended ?? 'well', seconds, at, commit: await commit() },
    results: [...resultsIn(folder), itself(part, resultsIn(folder), ended, seconds)],
    figures: figuresIn(folder),
  }
  writeFileSync(join(folder, 'part.json'), `${JSON.stringify(done, undefined, 2)}\n`)
  const failed = failedOf(done).length
  console.log(`${failed > 0 ? '✗' : '✓'} ${part.name}: ${counted(done.results)}, in ${elapsed(seconds * 1000)}`)
  return done
}

/** The time that a program has to clean up after SIGINT, in ms. */
const GRACE = 120_000

/** @returns the reason of a failure; undefined after success */
async function attempt(
  { command: [program, ...words], env = {}, limit }: Part,
  folder: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const log = createWriteStream(join(folder, 'output.log'))
  const child = execa(program, words, {
    ...{
      cwd: ROOT,
      env: { NO_COLOR: '1', ...env, RESULTS: folder },
      reject: false,
      buffer: false,
      all: true,
    },
    // A process group of its own, so that SIGINT reaches all of it like Ctrl-C, not only npm.
    ...{ stdin: 'ignore', detached: true },
  })
  child.all.pipe(log)
  let why: string | undefined
  let grace: NodeJS.Timeout | undefined
  const end = (reason: string) => {
    why ??= reason
    tell(child.pid, 'SIGINT')
    grace ??= setTimeout(() => tell(child.pid, 'SIGKILL'), GRACE)
  }
  const byHand = () => end('it was stopped by hand')
  signal.addEventListener('abort', byHand)
  const late = setTimeout(() => end(`it did not end within ${limit} minutes`), limit * 60_000)
  const { exitCode } = await child
  signal.removeEventListener('abort', byHand)
  clearTimeout(late)
  clearTimeout(grace)
  return why ?? (exitCode === 0 ? undefined : `it ended with ${exitCode ?? 'a signal'}`)
}

function tell(group: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (group !== undefined) process.kill(-group, signal)
  } catch {
    // It has ended meanwhile.
  }
}

/** The result of the part itself. */
function itself(
  { name, silent = false }: Part,
  results: readonly Result[],
  ended: string | undefined,
  seconds: number,
): Result {
  const wrong = ended ?? (!silent && results.length === 0 ? 'nothing was tried' : undefined)
  return {
    ...{ suite: name, name: 'it ends well, having tried something', seconds },
    ...(wrong === undefined ? { outcome: 'passed' } : { outcome: 'failed', said: wrong }),
  }
}

/** Converts the journals of its runs to HTML pages. */
async function reported(folder: string): Promise<void> {
  const runs = join(folder, 'runs')
  if (!existsSync(runs)) return
  for (const name of readdirSync(runs).filter((one) => one.endsWith('.jsonl'))) {
    const page = join(runs, `${basename(name, '.jsonl')}.html`)
    const words = ['report', join(runs, name), '--out', page]
    await execa(process.execPath, [join(ROOT, 'bin/provision.js'), ...words], { reject: false })
    if (existsSync(page)) rmSync(join(runs, name))
    else renameSync(join(runs, name), join(runs, `unreadable-${name}`))
  }
}

export async function commit(): Promise<string> {
  const git = async (...words: readonly string[]) =>
    (await execa('git', words, { cwd: ROOT, reject: false })).stdout ?? ''
  const own = await git('rev-parse', '--short', 'HEAD')
  return (await git('status', '--porcelain')) === '' ? own : `${own}, changed`
}

function counted(results: readonly Result[]): string {
  const count = (wanted: Result['outcome']) => results.filter(({ outcome }) => outcome === wanted).length
  const [failed, out] = [count('failed'), count('left out')]
  return [`${count('passed')} passed`, failed > 0 && `${failed} FAILED`, out > 0 && `${out} left out`]
    .filter(Boolean)
    .join(', ')
}
