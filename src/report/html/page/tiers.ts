import { tiersPicture } from '../../graph/svg.ts'
import { tiersText } from '../../graph/text.ts'
import type { RunTimeline } from '../../journal/timeline.ts'
import { byId } from './dom.ts'
import { outcomeLabel } from './outcomes.ts'

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
