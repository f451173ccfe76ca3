import { elapsed } from '../../../text/duration.ts'
import type { RunTimeline } from '../../journal/timeline.ts'
import { byId, count, h } from './dom.ts'

/** What was run, when, and how it ended. */
export function showHead(story: RunTimeline): void {
  const { about, hosts, summary, mode, ms } = story
  const verdict = verdictOf(story)
  document.title = `${verdict.words} · ${about.command}`
  byId('command').textContent = about.command
  byId('verdict').replaceChildren(h('span', { class: `badge ${verdict.tone}` }, verdict.words))
  const when = new Date(about.at)
  byId('when').replaceChildren(
    h('time', { datetime: about.at }, when.toLocaleString('en', { dateStyle: 'full', timeStyle: 'medium' })),
    ` · run ${about.id}`,
  )
  const steps = summary?.hosts.reduce((sum, { ok, changed }) => sum + ok + changed, 0)
  const changed = summary?.hosts.reduce((sum, one) => sum + one.changed, 0)
  const figures: readonly (readonly [string, string | undefined])[] = [
    ['hosts', String(hosts.length)],
    ['steps', steps?.toLocaleString('en')],
    [mode === 'check' ? 'to change' : 'changed', changed?.toLocaleString('en')],
    ['time', elapsed(ms)],
    ['round trips', summary && `${Math.max(0, ...summary.hosts.map(({ trips }) => trips))} a host`],
    ['traffic', summary && `${Math.ceil((summary.sent + summary.received) / 1024).toLocaleString('en')} KiB`],
  ]
  byId('figures').replaceChildren(
    ...figures.flatMap(([term, value]) =>
      value === undefined ? [] : [h('div', {}, h('dt', {}, term), h('dd', {}, value))],
    ),
  )
}

function verdictOf({ hosts, summary, mode }: RunTimeline): { readonly words: string; readonly tone: string } {
  const number = (outcome: string) => hosts.filter((host) => host.outcome === outcome).length
  const [failed, lost, changed] = [number('failed'), number('unreachable'), number('changed')]
  const bad = [
    failed > 0 && `${count(failed, 'host')} failed`,
    lost > 0 && `${count(lost, 'host')} not reached`,
  ].filter((part) => part !== false)
  if (bad.length > 0) return { words: bad.join(', '), tone: 'failed' }
  if (!summary) return { words: 'Did not come to its end', tone: 'failed' }
  if (summary.interrupted) return { words: 'Stopped by a person', tone: 'skipped' }
  if (changed === 0)
    return { words: mode === 'check' ? 'Nothing would change' : 'Nothing had to change', tone: 'well' }
  return {
    words: `${count(changed, 'host')} ${mode === 'check' ? 'would change' : 'changed'}`,
    tone: 'changed',
  }
}
