import { Command, Option } from 'commander'
import { isRecord } from '../../model/inventory/fields.ts'
import type { Host } from '../../model/inventory/host.ts'
import { table } from '../../report/format.ts'
import { jsonLine } from '../../report/json.ts'
import { type Paint, paintFor } from '../../report/problem.ts'
import { Secret } from '../../shell/secret.ts'
import type { Installation } from '../load/load.ts'
import { type ReachFlags, withInventoryOption, withLimitOption, withTypeCheckOption } from '../options.ts'
import { selectHosts } from '../target.ts'

type HostsFlags = Pick<ReachFlags, 'inventory' | 'limit' | 'typeCheck'> & {
  readonly output: 'plain' | 'json'
}

/** `provision hosts`: what the inventory says. */
export function hostsCommand(own: Installation): Command {
  return withTypeCheckOption(withLimitOption(withInventoryOption(new Command('hosts'))))
    .description('tell the groups and hosts of the inventory, with their vars; reaches none')
    .addOption(
      new Option('-o, --output <how>', 'how to show them').choices(['plain', 'json']).default('plain'),
    )
    .addHelpText('after', '\nExamples:\n  provision hosts --limit web\n  provision hosts --output json')
    .action(async (flags: HostsFlags) => {
      const { inventory, hosts } = await selectHosts(flags, own)
      const names = new Set(hosts.map(({ name }) => name))
      const members = inventory.hosts.filter(({ name }) => names.has(name))
      const lines = flags.output === 'json' ? members.map(asJson) : asTable(members, paintFor(process.stdout))
      for (const line of lines) process.stdout.write(`${Secret.redact(line)}\n`)
    })
}

function asJson({ name, group, address, ssh, become, ...vars }: Host): string {
  return jsonLine({ kind: 'host', host: name, group, address, ssh, become, vars })
}

function asTable(hosts: readonly Host[], paint: Paint): readonly string[] {
  const rows = hosts.map((host, i) => [
    host.group === hosts[i - 1]?.group ? '' : host.group,
    host.name,
    host.address,
    reachedAs(host),
    varsOf(host),
  ])
  return table([['group', 'host', 'address', 'reached as', 'vars'], ...rows], (cell, row, column) =>
    row === 0 ? paint('dim', cell) : column === 0 ? paint('bold', cell) : cell,
  )
}

/** As one would say it to ssh: `deploy@10.0.1.1:2222 via jump@bastion`; empty where ssh's own settings decide. */
function reachedAs({ address, ssh = {} }: Host): string {
  if (ssh.transport === 'local') return 'this machine'
  const { proxyJump } = ssh
  const ways = proxyJump === undefined ? [] : 'host' in proxyJump ? [proxyJump] : proxyJump
  const { user, port, host = user !== undefined || port !== undefined ? address : undefined } = ssh
  return [place({ user, port, host }), ...ways.map((way) => `via ${place(way)}`)]
    .filter((word) => word !== '')
    .join(' ')
}

interface Place {
  readonly user?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
}

function place({ user, host, port }: Place): string {
  return `${user === undefined ? '' : `${user}@`}${host ?? ''}${port === undefined ? '' : `:${port}`}`
}

function varsOf({
  name: _name,
  group: _group,
  address: _address,
  ssh: _ssh,
  become: _become,
  ...vars
}: Host) {
  return Object.entries(vars)
    .map(([name, value]) => `${name}=${shown(value)}`)
    .join(' ')
}

/** Short; of what has parts their names, of texts of many lines the first. */
function shown(value: unknown): string {
  if (value instanceof Secret) return value.toJSON()
  if (isRecord(value)) return `{${Object.keys(value).join(', ')}}`
  if (typeof value !== 'string') return JSON.stringify(value)
  const [first = '', more] = value.split('\n')
  return more === undefined ? first : `${first}…`
}
