import { timelineOf } from '../../journal/timeline.ts'
import { showChanges, showProblems } from './changes.ts'
import { byId } from './dom.ts'
import { enableKeyboard, filtersFor, printAllRows } from './filters.ts'
import { showHead, showTiers } from './head.ts'
import { showAxis, showHosts } from './hosts.ts'

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
