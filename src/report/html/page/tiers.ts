import { tiersPicture } from '../../graph/svg.ts'
import { tiersText } from '../../graph/text.ts'
import type { RunTimeline } from '../../journal/timeline.ts'
import { byId } from './dom.ts'
import { outcomeLabel } from './words.ts'

/** The tiers as they are, each host coloured by what became of it. @param choose told of the host that a reader points at */
export function showTiers(story: RunTimeline, choose: (host: string) => void): void {
  const place = byId('picture')
  const draw = () => {
    const width = Math.max(280, Math.min(720, place.clientWidth))
    const { body, height } = tiersPicture(story.topology, width)
    const label = 'The tiers, their hosts and who talks to whom; the same in words follows'
    const text = `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${label}" viewBox="-1 -1 ${width + 2} ${height + 2}" width="${width}">${body}</svg>`
    const drawn = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement
    for (const { name, outcome } of story.hosts) {
      const host = drawn.querySelector(`[data-host="${CSS.escape(name)}"]`)
      host?.classList.add(outcome)
      const title = host?.querySelector('title')
      if (title) title.textContent = `${name}: ${outcomeLabel(outcome, story)}`
    }
    place.replaceChildren(drawn)
  }
  place.addEventListener('click', ({ target }) => {
    const host = target instanceof Element && target.closest('[data-host]')?.getAttribute('data-host')
    if (host) choose(host)
  })
  let width = 0
  new ResizeObserver(([entry]) => {
    const now = Math.round(entry?.contentRect.width ?? 0)
    if (now !== width) draw()
    width = now
  }).observe(place)
  byId('picture-text').textContent = tiersText(story.topology)
}
