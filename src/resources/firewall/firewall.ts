import { BlockList } from 'node:net'
import type { Steps } from '../../model/playbook/steps.ts'
import { InvalidParams } from '../../model/problem.ts'
import { handler } from '../../model/resource/handler.ts'
import { mapRead, read } from '../../model/resource/read.ts'
import { resource } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { file } from '../files/file.ts'
import { pkg } from '../packages/package.ts'
import { login } from '../system/login.ts'
import { service } from '../systemd/service.ts'
import { unit } from '../systemd/unit.ts'
import { transaction } from '../transaction/transaction.ts'
import { type FirewallRule, ingressOf, type RulesetOptions, ruleset, TABLE } from './ruleset.ts'

/** Options of {@link firewall}. */
export interface FirewallOptions extends RulesetOptions {
  /**
   * Another firewall that drops traffic by default, such as ufw, firewalld or an nftables table, and Docker, which opens the ports of its
   * containers to all: `refuse` rejects the run, `keep` leaves it active. Checked on hosts that do not have this firewall yet.
   * @default 'refuse'
   */
  readonly others?: 'refuse' | 'keep'
}

const FILE = '/etc/nftables.d/provision.nft'
const UNIT = 'provision-firewall.service'
/** The table right after it was loaded. Created again at each boot. */
const RECORD = '/run/provision-firewall'

/**
 * A firewall that accepts only traffic that matches the rules, of IPv4 and IPv6. It is one nftables table, loaded at boot before the network
 * is up. A host has a single firewall: if it has several roles, combine their rules. All outgoing traffic is allowed, unless `outgoing` lists it.
 *
 * Established connections remain open. A new ruleset must be confirmed over a new connection from the machine that runs provision. Without
 * it the host restores the old ruleset after 60 s, or at a reboot, and the step fails. Networks for ssh that would lock out this machine
 * are rejected before any host is changed.
 *
 * @throws TypeError for an invalid address or port
 * @example firewall([{ port: 8080, from: lb.hosts }], { ssh: ['10.0.0.0/8'] })
 * @example firewall([{ port: 443, from: 'anywhere' }], { outgoing: [{ port: [80, 443], to: 'anywhere' }, { port: 53, protocol: 'udp', to: 'anywhere' }] })
 */
export function firewall(rules: readonly FirewallRule[], options: FirewallOptions = {}): Steps {
  const { ssh = 'anywhere', others = 'refuse' } = options
  const text = ruleset(rules, options)
  return [
    ssh !== 'anywhere' && lockoutCheck({ from: ssh }),
    others === 'refuse' && noOtherFirewall({ file: FILE }),
    pkg('nftables'),
    transaction('firewall', [file(FILE, text), unit(UNIT, unitText)], {
      validate: sh`nft -c -f ${FILE}`,
      activate: loadTable,
      confirmed: true,
    }),
    loadedTable({ rules }),
    service(UNIT),
  ]
}

/** Hashes the file and the table in the kernel. Used by the unit and by the read. */
const PRINT = sh`nft -s list table inet ${TABLE} | sha256sum ${FILE} -`

/**
 * A separate unit: Debian's nftables.service loads /etc/nftables.conf, which belongs to the administrator, and flushes all tables when it
 * starts and stops. This unit starts after it, and again when it is restarted or reloaded.
 */
const unitText = `[Unit]
Description=Firewall of provision (nftables, table inet ${TABLE})
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target shutdown.target
After=nftables.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f ${FILE}
ExecStartPost=/bin/sh -c '${PRINT.text} > ${RECORD}'
ExecReload=/usr/sbin/nft -f ${FILE}
ExecReload=/bin/sh -c '${PRINT.text} > ${RECORD}'

[Install]
WantedBy=sysinit.target
`

/** Loads the table; removes it after the rollback of the first one. */
const loadTable = handler(
  'load the firewall',
  sh`systemctl daemon-reload
if [ -e ${FILE} ]; then systemctl restart ${UNIT} || { journalctl -q --no-pager -o cat -n 5 -u ${UNIT}; exit 1; }
else nft delete table inet ${TABLE}; systemctl stop ${UNIT} 2>/dev/null || :; fi`,
)

/** Prints the current hashes and, after an empty line, the recorded ones. */
const AS_LOADED = sh`${PRINT} 2>/dev/null
echo
while IFS= read -r line; do printf '%s\n' "$line"; done <${RECORD}`

/** Detects changes of the table in the kernel since it was loaded, such as `nft add rule` or `nft flush ruleset`. */
export const loadedTable = resource<{ readonly rules: readonly FirewallRule[] }, boolean>('firewall', {
  id: () => `table inet ${TABLE}`,
  ingress: ({ rules }) => rules.map(ingressOf),
  canWaitForPackages: true,
  read: () =>
    read(
      AS_LOADED,
      ({ code, stdout }) => {
        const [now, loaded] = stdout.split('\n\n')
        return code === 0 && now === loaded?.trimEnd()
      },
      { shared: true, fakeValue: (host) => host.answer(AS_LOADED.text, undefined).code === 0 },
    ),
  diff: (_params, have) =>
    have
      ? undefined
      : { action: 'change', fields: [{ name: 'table', from: 'changed since it was loaded', to: 'as declared' }] },
  apply: () => loadTable.commands,
  simulate: (_params, { holds }) => holds(AS_LOADED.text),
})

interface OtherFirewall {
  readonly name: string
  /** Its effect on the rules of this one. @default a packet must be accepted by both */
  readonly effect?: string
  /** The command that disables it. */
  readonly off: string
}

/**
 * Rejects the run if another firewall drops traffic by default, or opens ports itself. Changes nothing itself.
 *
 * @param params.file the file of our table; if it exists, the host is not checked
 */
export const noOtherFirewall = resource<{ readonly file: string }, readonly OtherFirewall[]>('other firewalls', {
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
      details: [...new Set(found.map(({ effect = BOTH }) => effect))],
      next: `Add its rules to firewall() and disable it (${found.map(({ off }) => off).join('; ')}), or keep both: firewall(rules, { others: 'keep' }). Nothing was changed on any host.`,
    })
  },
  apply: () => [],
})

const BOTH = 'A packet must be accepted by both, so a port that only one of them opens stays closed.'

const DOCKER: OtherFirewall = {
  name: 'Docker',
  effect: 'Docker opens the ports of its containers itself: no rule of this firewall closes them.',
  off: 'bind the ports of its containers to 127.0.0.1',
}

/** @throws Error if the output is incomplete */
export function otherFirewalls(stdout: string, stderr = ''): readonly OtherFirewall[] {
  const lines = stdout.split('\n').map((line) => line.trim())
  if (lines.filter((line) => line !== '').at(-1) !== 'end' || lines.includes('failed'))
    throw new Error(`the host did not list all its firewalls: ${stderr.trim().split('\n').at(-1)}`)
  const dropping: string[] = []
  let table = ''
  for (const line of lines) {
    table = /^table (\S+ \S+) \{$/.exec(line)?.[1] ?? table
    if (/\bhook (?:input|output)\b.*\bpolicy drop;/.test(line)) dropping.push(table)
    if (line === '-P INPUT DROP') dropping.push('ip filter')
  }
  const docker = lines.includes('chain DOCKER {') ? [DOCKER] : []
  if (lines.includes('firewalld')) return [{ name: 'firewalld', off: 'systemctl disable --now firewalld' }, ...docker]
  if (dropping.length > 0 && lines.some((line) => line.startsWith('chain ufw-')))
    return [{ name: 'ufw', off: 'ufw disable' }, ...docker]
  const tables = [...new Set(dropping)].map((name) => ({
    name: `table ${name}, which drops traffic by default`,
    off: `nft delete table ${name}, and remove the file that loads it at boot`,
  }))
  return [...tables, ...docker]
}

/** Rejects a ruleset that would lock out the machine that runs provision, before any host is changed. Changes nothing itself. */
export const lockoutCheck = resource<{ readonly from: readonly string[] }, string | undefined>('ssh access', {
  id: ({ from }) => `from ${from.join(', ') || 'nowhere'}`,
  affects: 'itself',
  read: () => mapRead(login, (found) => found?.address),
  diff: ({ from }, own) => {
    if (own === undefined || from.some((network) => holds(network, own))) return undefined
    throw new InvalidParams(`The firewall would lock out this machine, which connects from ${own}.`, {
      where: 'ssh',
      details: [`allowed for ssh: ${from.join(', ') || 'nothing'}`],
      next: `Add ${own}, or a network that contains it. Nothing was changed on any host.`,
    })
  },
  apply: () => [],
})

function holds(network: string, address: string): boolean {
  const [base = '', length] = network.split('/')
  const list = new BlockList()
  if (length === undefined) list.addAddress(base, familyOf(base))
  else list.addSubnet(base, Number(length), familyOf(base))
  return list.check(address, familyOf(address))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4'
}
