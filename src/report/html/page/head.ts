import { elapsed } from '../../../shell/duration.ts'
import { tiersPicture } from '../../graph/svg.ts'
import { tiersText } from '../../graph/text.ts'
import type { RunTimeline } from '../../journal/timeline.ts'
import { byId, count, h, outcomeLabel } from './dom.ts'

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
  if (summary.refused) return { text: 'Refused by a policy', tone: 'failed' }
  if (summary.interrupted) return { text: 'Interrupted', tone: 'skipped' }
  if (changed === 0) return { text: 'No changes', tone: 'ok' }
  const verb = mode === 'plan' ? 'would change' : 'changed'
  return { text: `${count(changed, 'host')} ${verb}`, tone: 'changed' }
}

/** Draws the tiers with each host coloured by its outcome. @param choose called with the host that is clicked */
export function showTiers(run: RunTimeline, choose: (host: string) => void): void {
  const picture = byId('picture')
  const draw = () => {
    const width = Math.max(280, Math.min(720, picture.clientWidth))
    const { body, height } = tiersPicture(run.topology, width)
    const label = 'The tiers, their hosts and allowed connections; a text version follows'
    const text = `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${label}" viewBox="-1 -1 ${width + 2} ${height + 2}" width="${width}">${body}</svg>`
    const drawn = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement
    for (const { name, outcome } of run.hosts) {
      const host = drawn.querySelector(`[data-host="${CSS.escape(name)}"]`)
      host?.classList.add(outcome)
      const title = host?.querySelector('title')
      if (title) title.textContent = `${name}: ${outcomeLabel(outcome, run)}`
    }
    picture.replaceChildren(drawn)
  }
  picture.addEventListener('click', ({ target }) => {
    const host = target instanceof Element && target.closest('[data-host]')?.getAttribute('data-host')
    if (host) choose(host)
  })
  let width = 0
  new ResizeObserver(([entry]) => {
    const now = Math.round(entry?.contentRect.width ?? 0)
    if (now !== width) draw()
    width = now
  }).observe(picture)
  byId('picture-text').textContent = tiersText(run.topology)
}
