import { storyOf } from '../story.ts'
import { showChanges } from './changes.ts'
import { part } from './dom.ts'
import { filtersFor } from './filters.ts'
import { showHead } from './head.ts'
import { walkable } from './keys.ts'
import { showProblems } from './problems.ts'
import { showStack } from './stack.ts'
import { showAxis, showTimeline } from './timeline.ts'

const story = storyOf(part('journal').textContent ?? '')
const filters = filtersFor(story)
showHead(story)
showProblems(story)
showAxis(story)
showStack(story, filters.choose)
filters.follow(({ hosts, wanted }) => {
  showTimeline(story, hosts)
  showChanges(story, hosts, wanted)
})
walkable()
