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
import { EXIT, exitCodeOfRun } from '../exit.ts'
import type { Installation } from '../load/paths.ts'
import { printLines } from '../print.ts'
import { LIST_HINT, listRuns, readJournal } from '../state/journal.ts'

interface ReportFlags {
  readonly out?: string
  readonly open: boolean
  readonly list: boolean
}

/** `provision report [RUN]`: writes a run as one HTML file. */
export function reportCommand(installation: Installation): Command {
  return new Command('report')
    .argument('[run]', 'an ID, its start or end, or the path of a journal; default: the last run')
    .description('write an HTML file about a run; list the recorded runs')
    .option('--list', 'list the recorded runs', false)
    .option('--out <file>', 'the file to write; default: report-RUN.html')
    .option('--open', 'open the file in the browser', false)
    .addHelpText('after', EXAMPLES)
    .action(async (run: string | undefined, { list, out, open }: ReportFlags) => {
      if (list) return printLines(runTable())
      const journal = readJournal(run)
      const { id } = parse(journal, run).about
      const path = out ?? `report-${id}.html`
      writeFileSync(path, reportHtml(await emptyPage(installation), journal), { mode: 0o600 })
      process.stdout.write(`The report is in ${path}\n`)
      if (open) openInBrowser(path)
    })
}

const EXAMPLES = `
Examples:
  provision report                        the last run in this directory
  provision report --list                 the last 50 runs
  provision report 7f3a --out run.html

Runs are recorded in .provision/runs, with secrets masked; --no-journal of a run disables that.`

function runTable(): readonly string[] {
  const rows = listRuns().map(rowOf)
  return rows.length === 0 ? ['No run is recorded.'] : table(rows)
}

function rowOf(id: string): readonly string[] {
  try {
    const { about, lines } = parseJournal(readJournal(id))
    const end = lines.at(-1)
    const when = about.at.slice(0, 16).replace('T', ' ')
    if (end?.kind !== 'end') return [id, when, 'incomplete', '', about.command]
    const { summary } = end
    const changed = summary.hosts.reduce((sum, host) => sum + host.changed, 0)
    const steps = `${changed} ${summary.mode === 'plan' ? 'to change' : 'changed'}`
    return [id, when, RESULTS[exitCodeOfRun(summary)] ?? '', `${steps}, ${elapsed(summary.ms)}`, about.command]
  } catch {
    return [id, '', 'unreadable', '', '']
  }
}

const RESULTS: Readonly<Record<number, string>> = {
  [EXIT.ok]: 'ok',
  [EXIT.failed]: 'failed',
  [EXIT.drift]: 'ok',
  [EXIT.unreachable]: 'unreachable',
  [EXIT.refused]: 'refused',
  [EXIT.interrupted]: 'interrupted',
}

/** @throws Problem if the journal is damaged */
function parse(journal: string, run = 'the last run') {
  try {
    return parseJournal(journal)
  } catch (error) {
    const reason = error instanceof Error ? error.message : error
    throw new Problem(`Cannot read the journal of ${run}: ${reason}`, { next: LIST_HINT })
  }
}

/** The page without a journal; in the repository it is built now. */
function emptyPage({ root, compiled }: Installation): Promise<string> | string {
  const built = `${compiled}report.html`
  return existsSync(built) ? readFileSync(built, 'utf8') : page(root)
}

function openInBrowser(path: string): void {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open'
  const child = spawn(program, [resolve(path)], { stdio: 'ignore', detached: true })
  child.on('error', () => process.stderr.write(`${program} is not installed: open the file yourself.\n`))
  child.unref()
}
