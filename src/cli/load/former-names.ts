import { playbooks } from './paths.ts'

/** Earlier names of playbooks, each with its present name. */
const PLAYBOOKS: Readonly<Record<string, string>> = {
  alone: 'disable-sync-replication',
  reattach: 'rejoin',
  retire: 'decommission',
}

/** An advice for an earlier name of a playbook of this project; undefined for other words. */
export function formerPlaybook(word: string): string | undefined {
  const now = PLAYBOOKS[word]
  return now !== undefined && playbooks().includes(now)
    ? `The playbook ${word} is now called "${now}".`
    : undefined
}
