import { type Step, sh } from 'provision-ts'
import { type Conflict, type Found, noConflicts } from '../../base/resources/conflicts.ts'

interface KeepalivedConflicts {
  readonly config: string
  readonly check: string
  /** Without its prefix length. */
  readonly vip: string
}

/** Refuses a host with another keepalived configuration, or on which something else has set the address. */
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
        what: `${config} has other sections: ${said.join(', ')}`,
        next: 'The role replaces the whole file. Use another host; or, if it is not needed, stop keepalived and move the file away.',
      },
    ]
  return more.length === 0
    ? []
    : [
        {
          what: `the host already has the address ${vip}, and not from this role`,
          next: 'Remove it from the network configuration, or choose another address.',
        },
      ]
}
