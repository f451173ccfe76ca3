import { BlockList } from 'node:net'
import { InvalidParams } from '../../model/problem.ts'
import { read } from '../../model/resource/read.ts'
import { resource } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'

/** Rejects a ruleset that would lock out the machine that runs provision, before any host is changed. Changes nothing itself. */
export const lockoutCheck = resource<{ readonly from: readonly string[] }, string | undefined>('ssh access', {
  id: ({ from }) => `from ${from.join(', ') || 'nowhere'}`,
  affects: 'itself',
  read: () => clientAddress,
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

/** The source address of this session, which may be a jump host; undefined without ssh. Read from parent processes: sudo removes it. */
const clientAddress = read(
  sh`
process=$$ files=
while [ "\${process:-0}" -gt 1 ] && read -r stat <"/proc/$process/stat"; do
  files="$files /proc/$process/environ"
  set -- \${stat##*") "}
  process=$2
done
grep -saozh '^SSH_CONNECTION=[^ ]*' $files`,
  ({ stdout }) => stdout.split('\0')[0]?.replace('SSH_CONNECTION=', '') || undefined,
  { shared: true, dependsOn: [] },
)

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
