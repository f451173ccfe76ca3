import { InvalidParams } from '../../model/problem.ts'
import { read } from '../../model/resource/read.ts'
import { resource } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'

interface OtherFirewall {
  readonly name: string
  /** How the user turns it off. */
  readonly off: string
}

/**
 * A step that changes nothing: it refuses the run where another firewall drops all that it does not know. A packet has to be accepted by
 * both, so ports that only one of them opens stay closed.
 *
 * @param params.file the file of our table; where it exists, the host is not asked
 */
export const noOtherFirewall = resource<{ readonly file: string }, readonly OtherFirewall[]>(
  'other firewalls',
  {
    id: () => 'none',
    affects: 'itself',
    canWaitForPackages: true,
    read: ({ file }) =>
      read(
        sh`file=${file}
[ -e "$file" ] || {
  if command -v nft >/dev/null; then nft list chains || echo failed
  elif command -v iptables-nft >/dev/null; then
    for command in iptables-nft ip6tables-nft; do "$command" -S INPUT || echo failed; done
  fi
  ! grep -qsx filter /proc/net/ip_tables_names || iptables-legacy -S INPUT || echo failed
  ! systemctl is-active -q firewalld || echo firewalld
}
echo end`,
        ({ stdout, stderr }) => otherFirewalls(stdout, stderr),
        { shared: true, dependsOn: [file], fakeValue: () => [] },
      ),
    diff: (_params, found) => {
      if (found.length === 0) return undefined
      throw new InvalidParams(`The host has another firewall: ${found.map(({ name }) => name).join(', ')}.`, {
        where: 'firewall',
        details: ['A packet has to be accepted by both, so a port that only one of them opens stays closed.'],
        next: `Take over its rules and turn it off (${found.map(({ off }) => off).join('; ')}), or keep both: firewall(rules, { others: 'keep' }). Nothing was changed on any host.`,
      })
    },
    apply: () => [],
  },
)

/** @throws Error when the host gave half an answer */
export function otherFirewalls(stdout: string, stderr = ''): readonly OtherFirewall[] {
  const lines = stdout.split('\n').map((line) => line.trim())
  if (lines.filter((line) => line !== '').at(-1) !== 'end' || lines.includes('failed'))
    throw new Error(`the host gave no whole answer about its firewalls: ${stderr.trim().split('\n').at(-1)}`)
  const dropping: string[] = []
  let table = ''
  for (const line of lines) {
    table = /^table (\S+ \S+) \{$/.exec(line)?.[1] ?? table
    if (/\bhook input\b.*\bpolicy drop;/.test(line)) dropping.push(table)
    if (line === '-P INPUT DROP') dropping.push('ip filter')
  }
  if (lines.includes('firewalld')) return [{ name: 'firewalld', off: 'systemctl disable --now firewalld' }]
  if (dropping.length > 0 && lines.some((line) => line.startsWith('chain ufw-')))
    return [{ name: 'ufw', off: 'ufw disable' }]
  return [...new Set(dropping)].map((name) => ({
    name: `table ${name}, which drops input by default`,
    off: `nft delete table ${name}, and remove the file that loads it at boot`,
  }))
}
