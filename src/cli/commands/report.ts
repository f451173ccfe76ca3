import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { page } from '../../../bin/page.js'
import { Problem } from '../../model/problem.ts'
import { table } from '../../report/format.ts'
import { reportHtml } from '../../report/html/html.ts'
import { parseJournal } from '../../report/journal/format.ts'
import { elapsed } from '../../shell/duration.ts'
import type { Installation } from '../load/load.ts'
import { exitCodeOfRun } from '../run.ts'
import { LIST_HINT, listRuns, readJournal } from '../state/journal.ts'

interface ReportFlags {
  readonly out?: string
  readonly open: boolean
  readonly list: boolean
}

/** `provision report [RUN]`: a run as one HTML file. */
export function reportCommand(own: Installation): Command {
  return new Command('report')
    .argument(
      '[run]',
      'its id, the beginning or end of that, or the path of a journal; the last run otherwise',
    )
    .description('make one HTML file of a run: hosts and steps in time, changes, failures; needs no network')
    .option('--list', 'tell which runs there are', false)
    .option('--out <file>', 'where to write it; report-RUN.html otherwise')
    .option('--open', 'show it in the browser', false)
    .addHelpText('after', EXAMPLES)
    .action(async (run: string | undefined, { list, out, open }: ReportFlags) => {
      if (list) {
        process.stdout.write(`${listed().join('\n')}\n`)
        return
      }
      const journal = readJournal(run)
      const { id } = read(journal, run).about
      const path = out ?? `report-${id}.html`
      writeFileSync(path, reportHtml(await pageOf(own), journal), { mode: 0o600 })
      process.stdout.write(`The report is in ${path}\n`)
      if (open) show(path)
    })
}

const EXAMPLES = `
Examples:
  provision report                        the last run that was begun in this folder
  provision report --list                 the last 50
  provision report 7f3a --out run.html

Runs are written down as they go in .provision/runs, with secrets masked; --no-journal leaves that out.`

function listed(): readonly string[] {
  const all = listRuns().map(rowOf)
  return all.length === 0 ? ['No run was written down yet.'] : table(all)
}

function rowOf(id: string): readonly string[] {
  try {
    const { about, lines } = parseJournal(readJournal(id))
    const end = lines.at(-1)
    const when = about.at.slice(0, 16).replace('T', ' ')
    if (end?.kind !== 'end') return [id, when, 'did not end', '', about.command]
    const { summary } = end
    const ended = ENDINGS[exitCodeOfRun(summary)] ?? ''
    const changed = summary.hosts.reduce((sum, one) => sum + one.changed, 0)
    const steps = `${changed} ${summary.mode === 'plan' ? 'to change' : 'changed'}`
    return [id, when, ended, `${steps}, ${elapsed(summary.ms)}`, about.command]
  } catch {
    return [id, '', 'cannot be read', '', '']
  }
}

const ENDINGS: Readonly<Record<number, string>> = {
  0: 'well',
  1: 'failed',
  2: 'well',
  3: 'unreachable',
  130: 'stopped',
}

/** @throws Problem when it is none */
function read(journal: string, run = 'the last run') {
  try {
    return parseJournal(journal)
  } catch (error) {
    throw new Problem(
      `The journal of ${run} cannot be read: ${error instanceof Error ? error.message : error}`,
      { next: LIST_HINT },
    )
  }
}

/** In the repository it is made on the fly. */
function pageOf({ root, compiled }: Installation): Promise<string> | string {
  const made = `${compiled}report.html`
  return existsSync(made) ? readFileSync(made, 'utf8') : page(root)
}

function show(path: string): void {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open'
  const child = spawn(program, [resolve(path)], { stdio: 'ignore', detached: true })
  child.on('error', () => process.stderr.write(`There is no ${program} here: open the file yourself.\n`))
  child.unref()
}
