import { isAddress } from '../model/fields.ts'
import type { Become, Ssh, Via } from '../model/host.ts'
import { Problem } from '../model/problem.ts'
import type { Vars } from './value.ts'

/** How Ansible reaches a host, in our words. @throws Problem for what has no like here */
export function reachOf(host: string, vars: Vars): { readonly ssh: Ssh; readonly become: Become } {
  const said = (...names: readonly string[]) => {
    const name = names.find((one) => vars[one] !== undefined && vars[one] !== null)
    return name === undefined ? undefined : word(host, name, vars[name])
  }
  refusePasswords(host, vars)
  const user = said('ansible_user', 'ansible_ssh_user')
  const port = said('ansible_port', 'ansible_ssh_port')
  const identityFile = said('ansible_ssh_private_key_file', 'ansible_private_key_file')
  const name = said('ansible_host', 'ansible_ssh_host') ?? host
  const via = jumps(host, [said('ansible_ssh_common_args'), said('ansible_ssh_extra_args')])
  const connection = said('ansible_connection') ?? 'ssh'
  if (!['ssh', 'smart', 'paramiko', 'paramiko_ssh', 'openssh', 'local'].includes(connection))
    throw new Problem(`${host}: ansible_connection ${connection} has no like here`, {
      next: 'Hosts are reached by ssh, or are this machine (local).',
    })
  return {
    ssh: {
      ...(connection === 'local' && { transport: 'local' as const }),
      ...(!isAddress(name) && { host: name }),
      ...(port !== undefined && { port: Number(port) }),
      ...(user !== undefined && { user }),
      ...(identityFile !== undefined && { identityFile }),
      ...(via && { via }),
    },
    become: becomeOf(host, user, said('ansible_become'), said('ansible_become_method')),
  }
}

/** Here root is the rule, since hosts are provisioned; there it is said by each play. */
function becomeOf(
  host: string,
  user: string | undefined,
  become: string | undefined,
  method = 'sudo',
): Become {
  if (/^(false|no|0)$/i.test(become ?? '') || user === 'root') return { method: 'none' }
  if (method === 'sudo' || method === 'doas') return { method }
  throw new Problem(`${host}: ansible_become_method ${method} has no like here`, {
    next: 'A user becomes root by sudo or doas, or logs in as root.',
  })
}

/** Options of ssh that are said to Ansible alone would change whom we reach, so they are not passed over. */
function jumps(host: string, options: readonly (string | undefined)[]): readonly Via[] | undefined {
  const text = options
    .filter((one) => one !== undefined)
    .join(' ')
    .trim()
  if (text === '') return undefined
  const [, first] = /^(?:-J\s*|-o\s*["']?ProxyJump[= ])["']?([^\s"']+)["']?$/.exec(text) ?? []
  if (first === undefined)
    throw new Problem(`${host}: options of ssh are not read from an inventory of Ansible: ${text}`, {
      next: 'Put them into ~/.ssh/config, which counts here as it does for ssh; a -J or ProxyJump alone is read.',
    })
  return first.split(',').map((one) => {
    const [, user, name = one, port] = /^(?:([^@]+)@)?([^:]+)(?::(\d+))?$/.exec(one) ?? []
    return { host: name, ...(user && { user }), ...(port && { port: Number(port) }) }
  })
}

function refusePasswords(host: string, vars: Vars): void {
  for (const name of ['ansible_password', 'ansible_ssh_pass', 'ansible_ssh_password'])
    if (vars[name] !== undefined)
      throw new Problem(`${host}: ${name} is not read: hosts are reached with keys here`, {
        next: 'Give the host your key (ssh-copy-id), and leave the password away.',
      })
  for (const name of ['ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass'])
    if (vars[name] !== undefined)
      throw new Problem(`${host}: ${name} is not read: a password does not belong into an inventory`, {
        next: "Say --ask-become-password, or in the inventory become: { password: secret.prompt('sudo') }.",
      })
}

function word(host: string, name: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value)
  const why = value instanceof Object && 'why' in value ? ` ${String(value.why)}` : ' should be a text'
  throw new Problem(`${host}: ${name}${why}`, { next: 'Say it in the inventory itself: ssh: { … }.' })
}
