import { timelineOf } from '../../journal/timeline.ts'
import { showChanges } from './changes.ts'
import { byId } from './dom.ts'
import { filtersFor } from './filters.ts'
import { showHead } from './head.ts'
import { enableKeyboard } from './keys.ts'
import { showProblems } from './problems.ts'
import { showTiers } from './tiers.ts'
import { showAxis, showTimeline } from './timeline.ts'

const story = timelineOf(byId('journal').textContent ?? '')
const filters = filtersFor(story)
showHead(story)
showProblems(story)
showAxis(story)
showTiers(story, filters.choose)
filters.follow(({ hosts, wanted }) => {
  showTimeline(story, hosts)
  showChanges(story, hosts, wanted)
})
enableKeyboard()
