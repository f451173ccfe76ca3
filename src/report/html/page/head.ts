import { elapsed } from '../../../shell/duration.ts'
import type { RunTimeline } from '../../journal/timeline.ts'
import { byId, count, h } from './dom.ts'

/** The command of the run, its start, its result and its figures. */
export function showHead(run: RunTimeline): void {
  const { about, hosts, summary, mode, ms } = run
  const result = resultOf(run)
  document.title = `${result.text} · ${about.command}`
  byId('command').textContent = about.command
  byId('result').replaceChildren(h('span', { class: `badge ${result.tone}` }, result.text))
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
    [mode === 'plan' ? 'to change' : 'changed', changed?.toLocaleString('en')],
    ['time', elapsed(ms)],
    ['round trips', summary && `at most ${Math.max(0, ...summary.hosts.map(({ trips }) => trips))} per host`],
    ['traffic', summary && `${Math.ceil((summary.sent + summary.received) / 1024).toLocaleString('en')} KiB`],
  ]
  byId('figures').replaceChildren(
    ...figures.flatMap(([term, value]) =>
      value === undefined ? [] : [h('div', {}, h('dt', {}, term), h('dd', {}, value))],
    ),
  )
}

function resultOf({ hosts, summary, mode }: RunTimeline): { readonly text: string; readonly tone: string } {
  const number = (outcome: string) => hosts.filter((host) => host.outcome === outcome).length
  const [failed, unreachable, changed] = [number('failed'), number('unreachable'), number('changed')]
  const bad = [
    failed > 0 && `${count(failed, 'host')} failed`,
    unreachable > 0 && `${count(unreachable, 'host')} unreachable`,
  ].filter((part) => part !== false)
  if (bad.length > 0) return { text: bad.join(', '), tone: 'failed' }
  if (!summary) return { text: 'Incomplete', tone: 'failed' }
  if (summary.interrupted) return { text: 'Interrupted', tone: 'skipped' }
  if (changed === 0) return { text: 'No changes', tone: 'ok' }
  const verb = mode === 'plan' ? 'would change' : 'changed'
  return { text: `${count(changed, 'host')} ${verb}`, tone: 'changed' }
}
