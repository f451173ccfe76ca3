import { type Step, sh } from 'provision-ts'
import { type Conflict, type Found, noConflicts } from '../../base/resources/conflicts.ts'

interface KeepalivedConflicts {
  readonly config: string
  readonly check: string
  /** Without its prefix length. */
  readonly vip: string
}

/** Addresses and servers that another keepalived.conf manages, and the address itself when something else has set it. */
export function keepalivedConflicts({ config, check, vip }: KeepalivedConflicts): Step {
  return noConflicts({
    role: 'keepalived',
    config,
    lines:
      '^[[:space:]]*(vrrp_instance|vrrp_sync_group|virtual_server|virtual_server_group|virtual_router_id|include)[[:space:]]',
    files: [check],
    more: sh`vip=${vip}; [ -z "$(ip -o address show to "$vip")" ] || echo 'more address'`,
    judge: (found) => judge(found, config, vip),
  })
}

function judge({ isOurs, lines, more }: Found, config: string, vip: string): readonly Conflict[] {
  const said = isOurs ? [] : lines.map(({ text }) => text.replace(/[{#!].*/, '').trim())
  if (said.length > 0)
    return [
      {
        what: `${config} manages something else: ${said.join(', ')}`,
        next: 'The role replaces the file whole. Use another host; or, if they are not needed, stop keepalived and move the file out of the way.',
      },
    ]
  return more.length === 0
    ? []
    : [
        {
          what: `the host has the address ${vip} already, and not from this role`,
          next: 'Remove it from the configuration of the network, or choose another address.',
        },
      ]
}
