import type { EventOf, HostSummary, Summary } from '../model/event.ts'
import { count, describeDiff, describeParts, drainTitle, stepTitle } from './format.ts'
import { plain, sanitized, showProblem } from './problem.ts'
import { dispatch, type Handlers, type Reporter } from './reporter.ts'
import { stepDiffs } from './terminal/lines.ts'

/** The longest comment that GitHub accepts, in characters. */
export const LONGEST_COMMENT = 65_536

/** Characters for problems; the rest of them is left out. */
const LONGEST_PROBLEMS = 16_000

/** The lines of a diff in a comment that is too long for whole diffs. */
const SHORT_DIFF = 20

/**
 * A plan in Markdown for a comment of a pull request: the counts, then problems, then a collapsed section for each host with its changes.
 * If it would be too long, diffs are cut and then left out, and at last the changes of hosts, which keep their counts.
 *
 * @param write called once, at the end
 */
export function markdownReporter(write: (text: string) => void): Reporter {
  const problems: string[] = []
  const notes: string[] = []
  const changes = new Map<string, HostChange[]>()
  const add = (host: string, line: string, diffs: readonly string[] = []) =>
    changes.set(host, [...(changes.get(host) ?? []), { line, diffs }])
  let summary: Summary | undefined
  const none = () => {}
  const handlers: Handlers = {
    ...{ begin: none, connected: none, refreshed: none, play: none, turn: none, applying: none, progress: none },
    ...{ waiting: none, turnEnd: none },
    unreachable: ({ problem }) => problems.push(showProblem(problem, plain)),
    failed: ({ problem }) => problems.push(showProblem(problem, plain)),
    skipped: ({ play, hosts, why }) => notes.push(`skipped: ${play} on ${hosts.join(', ')}: ${why}`),
    step: (event) => {
      if (event.outcome === 'allowed')
        add(event.host, `! ${stepTitle(event.step)}: fails, which is allowed: ${event.reason}`)
      if (event.outcome === 'planned') add(event.host, plannedLine(event), stepDiffs(event))
      if (event.outcome === 'deferred') add(event.host, `? ${stepTitle(event.step)}: ok now, known after apply`)
    },
    handler: ({ host, name, pending }) =>
      add(host, `~ handler ${name}${pending ? ' (pending since an earlier run)' : ''}`),
    drain: ({ host, label, outcome }) => add(host, `~ ${drainTitle(label, outcome)}`),
    recovered: ({ host, label }) =>
      add(host, `~ ${label}: interrupted in an earlier run; a run restores the old files first`),
    policy: ({ host, policy, changes: what, problem, reason, until }) => {
      if (problem) problems.push(showProblem(problem, plain))
      else notes.push(`${host}: waived until ${until}: ${policy}: ${what.join(', ')} (${reason})`)
    },
    end: (event) => {
      summary = event.summary
    },
  }
  return {
    emit: (event) => dispatch(handlers, event),
    done: async () => {
      if (summary) write(commentOf({ summary, problems, notes, changes }))
    },
  }
}

interface HostChange {
  readonly line: string
  readonly diffs: readonly string[]
}

interface Plan {
  readonly summary: Summary
  readonly problems: readonly string[]
  readonly notes: readonly string[]
  readonly changes: ReadonlyMap<string, readonly HostChange[]>
}

function plannedLine({ step, known, difference }: Extract<EventOf<'step'>, { readonly outcome: 'planned' }>): string {
  const role = step.roles.length > 0 ? ` [${step.roles.join(' › ')}]` : ''
  const parts = describeParts(difference).map((part) => `\n    ${part}`)
  return `${known ? '~' : '?'} ${stepTitle(step)}${role}: ${describeDiff(difference)}${parts.join('')}`
}

function commentOf({ summary, problems, notes, changes }: Plan): string {
  const text = [...problems, ...notes].map((one) => sanitized(one, plain)).join('\n')
  const shown = text.length > LONGEST_PROBLEMS ? `${text.slice(0, LONGEST_PROBLEMS)}\n…` : text
  const head = [`### ${titleOf(summary)}`, countsOf(summary), ...(shown === '' ? [] : [fenced(shown, 'text')])].join(
    '\n\n',
  )
  const changing = summary.hosts.filter(({ host }) => changes.has(host))
  const same = summary.hosts.filter((one) => !changes.has(one.host) && isUnchanged(one)).length
  const tail = same > 0 ? `\n\n${count(same, 'host')} without changes.` : ''
  const sections = changing.map((host) => sectionOf(host, changes.get(host.host) ?? []))
  const left = LONGEST_COMMENT - head.length - tail.length - LONGEST_NOTE
  return `${head}${fitted(sections, left)}${tail}\n`
}

/** Characters for the note on sections that were left out. */
const LONGEST_NOTE = 200

/** Returns a version of a host's section: 0 has its counts, 1 its changes, 2 the beginnings of diffs, 3 whole diffs. */
type Section = (level: number) => string

/** The lines of each diff, by level. */
const DIFF_LINES = [0, 0, SHORT_DIFF, Number.POSITIVE_INFINITY] as const

function sectionOf({ host, changed, deferred }: HostSummary, changes: readonly HostChange[]): Section {
  const counts = [`${changed} to change`, ...(deferred > 0 ? [`${deferred} known after apply`] : [])].join(', ')
  return (level) => {
    if (level === 0) return `\n\n**${escaped(host)}**: ${counts}`
    const most = DIFF_LINES[level] ?? 0
    const lines = changes.flatMap(({ line, diffs }) => [line, ...diffs.flatMap((diff) => cut(diff, most))])
    const body = fenced(sanitized(lines.join('\n'), plain), 'diff')
    return `\n\n<details><summary><b>${escaped(host)}</b>: ${counts}</summary>\n\n${body}\n\n</details>`
  }
}

function cut(diff: string, most: number): readonly string[] {
  const lines = diff.split('\n')
  if (most === 0) return []
  return lines.length <= most ? lines : [...lines.slice(0, most), `… ${lines.length - most} more lines`]
}

/** The longest versions that fit together: all hosts get a longer version before one gets a still longer one. */
function fitted(sections: readonly Section[], room: number): string {
  const kept: { readonly section: Section; readonly text: string }[] = []
  let left = room
  for (const section of sections) {
    const text = section(0)
    if (text.length > left) break
    left -= text.length
    kept.push({ section, text })
  }
  let isCut = kept.length < sections.length
  for (const level of [1, 2, 3]) {
    if (isCut) break
    for (const [i, { section, text }] of kept.entries()) {
      // Without this limit, thousands of sections would be made in vain.
      const longer = left < LONGEST_NOTE ? undefined : section(level)
      if (longer === undefined || longer.length - text.length > left) {
        isCut = true
        continue
      }
      left -= longer.length - text.length
      kept[i] = { section, text: longer }
    }
  }
  const missing = sections.length - kept.length
  return [
    ...kept.map(({ text }) => text),
    ...(missing > 0 ? [`\n\n… and ${count(missing, 'more host')}.`] : []),
    ...(isCut ? ['\n\nThe comment would be too long: diffs or changes are left out.'] : []),
  ].join('')
}

function titleOf({ hosts, refused }: Summary): string {
  const changing = hosts.filter(({ changed }) => changed > 0).length
  const steps = hosts.reduce((sum, { changed }) => sum + changed, 0)
  const what = steps === 0 ? 'no changes' : `${count(steps, 'step')} would change on ${count(changing, 'host')}`
  return `Plan: ${what}${refused ? '; refused by policies' : ''}`
}

const COLUMNS = ['hosts', 'to change', 'known after apply', 'ok', 'failed', 'unreachable'] as const

function countsOf({ hosts }: Summary): string {
  const sum = (of: (host: HostSummary) => number) => hosts.reduce((total, one) => total + of(one), 0)
  const cells = [
    ...[hosts.length, sum(({ changed }) => changed), sum(({ deferred }) => deferred), sum(({ ok }) => ok)],
    ...[sum(({ failed }) => Math.min(1, failed)), sum(({ unreachable }) => Number(unreachable))],
  ]
  return [COLUMNS, COLUMNS.map(() => '---:'), cells].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

function isUnchanged({ failed, unreachable, excluded, skipped }: HostSummary): boolean {
  return failed === 0 && !unreachable && excluded === undefined && skipped === 0
}

/** A code block. Its fence is longer than all rows of backticks in the text, so that the text cannot end it. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text}\n${fence}`
}

function escaped(text: string): string {
  return text.replace(/[&<>*_`[\]|@\\]/g, (one) => `&#${one.charCodeAt(0)};`)
}
