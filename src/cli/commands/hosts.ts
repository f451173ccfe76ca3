import { Command } from 'commander'
import { isRecord } from '../../model/inventory/fields.ts'
import type { Host } from '../../model/inventory/host.ts'
import { table } from '../../report/format.ts'
import { type Paint, paintFor } from '../../report/problem.ts'
import { jsonLine } from '../../report/reporter.ts'
import { Secret } from '../../shell/secret.ts'
import type { Installation } from '../load/paths.ts'
import {
  type HostFlags,
  type OutputFlags,
  withInventoryOption,
  withLimitOption,
  withOutputOption,
  withTypeCheckOption,
} from '../options.ts'
import { printLines } from '../print.ts'
import { selectHosts } from '../target.ts'

/** `provision hosts`: the hosts of the inventory. */
export function hostsCommand(installation: Installation): Command {
  return withTypeCheckOption(withOutputOption(withLimitOption(withInventoryOption(new Command('hosts')))))
    .description('list the groups and hosts of the inventory with their vars')
    .addHelpText('after', '\nExamples:\n  provision hosts --limit web\n  provision hosts --output json')
    .action(async (flags: HostFlags & OutputFlags) => {
      const { inventory, hosts } = await selectHosts(flags, installation)
      const names = new Set(hosts.map(({ name }) => name))
      // Once per group.
      const members = inventory.hosts.filter(({ name }) => names.has(name))
      printLines(flags.output === 'json' ? members.map(asJson) : asTable(members, paintFor(process.stdout)))
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
    connectionOf(host),
    varsOf(host),
  ])
  return table([['group', 'host', 'address', 'connection', 'vars'], ...rows], (cell, row, column) =>
    row === 0 ? paint('dim', cell) : column === 0 ? paint('bold', cell) : cell,
  )
}

/** `deploy@10.0.1.1:2222 via jump@bastion`; empty if ssh_config decides. */
function connectionOf({ address, ssh = {} }: Host): string {
  if (ssh.transport === 'local') return 'local'
  const { proxyJump } = ssh
  const jumpHosts = proxyJump === undefined ? [] : 'host' in proxyJump ? [proxyJump] : proxyJump
  const { user, port, host = user !== undefined || port !== undefined ? address : undefined } = ssh
  return [destination({ user, port, host }), ...jumpHosts.map((one) => `via ${destination(one)}`)]
    .filter((part) => part !== '')
    .join(' ')
}

interface Destination {
  readonly user?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
}

function destination({ user, host, port }: Destination): string {
  return `${user === undefined ? '' : `${user}@`}${host ?? ''}${port === undefined ? '' : `:${port}`}`
}

function varsOf({ name: _name, group: _group, address: _address, ssh: _ssh, become: _become, ...vars }: Host) {
  return Object.entries(vars)
    .map(([name, value]) => `${name}=${short(value)}`)
    .join(' ')
}

/** Records are shown as their keys, texts as their first line. */
function short(value: unknown): string {
  if (value instanceof Secret) return value.toJSON()
  if (isRecord(value)) return `{${Object.keys(value).join(', ')}}`
  if (typeof value !== 'string') return JSON.stringify(value)
  const [first = '', more] = value.split('\n')
  return more === undefined ? first : `${first}…`
}
