import {
  type Answered,
  ask,
  type Check,
  check,
  each,
  expect,
  type Group,
  type Host,
  read,
  sh,
} from 'provision-ts'
import { runs } from '../base/checks.ts'
import { MAINTENANCE } from './index.ts'

/** What holds of the hosts that an address moves between. @param vip with or without its prefix length */
export function keepalivedChecks(balancers: Pick<Group, 'hosts'>, vip: string): readonly Check[] {
  const address = vip.replace(/\/.*/, '')
  const holds = ask(
    `whether it holds ${address}`,
    read(sh`ip -o address show to ${address}`, ({ stdout }) => stdout.trim() !== ''),
  )
  return [
    expect(`one of them holds ${address}`, each(balancers, holds), oneHolder, {
      next: 'See journalctl -u keepalived on each.',
      says: (all) => `${all.find(({ answer }) => answer)?.host.name} holds ${address}`,
    }),
    ...balancers.hosts.flatMap((host) => [
      runs(host, 'keepalived'),
      check(
        host,
        'is not in maintenance',
        sh`switch=$(cat ${MAINTENANCE} 2>/dev/null || echo 0)
[ "$switch" = 0 ] || { echo 'its maintenance switch is on'; exit 1; }`,
        { next: `When the work on it is done: echo 0 > ${MAINTENANCE}` },
      ),
    ]),
  ]
}

export function oneHolder(all: readonly Answered<boolean, Host>[]): string | undefined {
  const holders = all.filter(({ answer }) => answer).map(({ host }) => host.name)
  if (holders.length === 1) return undefined
  return holders.length === 0 ? 'nobody does' : `${holders.join(' and ')} all do`
}
