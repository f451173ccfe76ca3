import { timelineOf } from '../../journal/timeline.ts'
import { showChanges } from './changes.ts'
import { byId } from './dom.ts'
import { filtersFor } from './filters.ts'
import { showHead } from './head.ts'
import { showAxis, showHosts } from './hosts.ts'
import { enableKeyboard, printAllRows } from './keys.ts'
import { showProblems } from './problems.ts'
import { showTiers } from './tiers.ts'

const run = timelineOf(byId('journal').textContent ?? '')
const filters = filtersFor(run)
showHead(run)
showProblems(run)
showAxis(run)
showTiers(run, filters.choose)
filters.follow(({ hosts, matches }) => {
  showHosts(run, hosts)
  showChanges(run, hosts, matches)
})
enableKeyboard()
printAllRows()
