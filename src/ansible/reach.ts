import { isAddress } from '../model/inventory/fields.ts'
import type { Become, Ssh } from '../model/inventory/host.ts'
import { Problem } from '../model/problem.ts'
import { type Notice, type SshArgs, sshOf } from './ssh-args.ts'
import { Closed, type Var, type Vars } from './value.ts'

/** How Ansible reaches a host, in our words. @throws Problem for what has no counterpart here */
export function reachOf(
  host: string,
  vars: Vars,
  notice: Notice,
): { readonly ssh: Ssh; readonly become: Become } {
  const said = (...names: readonly string[]) => word(host, vars, names)
  refusePasswords(host, vars)
  const user = said('ansible_ssh_user', 'ansible_user')?.text
  const port = portOf(host, said('ansible_ssh_port', 'ansible_port'))
  const identityFile = said('ansible_ssh_private_key_file', 'ansible_private_key_file')?.text
  const name = hostNameOf(host, vars)
  const options = ['ansible_ssh_args', 'ansible_ssh_common_args', 'ansible_ssh_extra_args'].flatMap((one) => {
    const found = said(one)
    return found === undefined ? [] : [{ ...found, whose: `${host}: ${one}` }]
  })
  const checked = said('ansible_ssh_host_key_checking', 'ansible_host_key_checking')
  const all: readonly SshArgs[] = [
    ...(checked && isFalse(checked.text)
      ? [{ ...checked, text: '-o StrictHostKeyChecking=no', whose: `${host}: ${checked.name}` }]
      : []),
    ...options,
  ]
  const connection = said('ansible_connection')
  const plugin = (connection?.text ?? 'ssh').replace(/^ansible\.(builtin|legacy)\./, '')
  if (connection && !['ssh', 'smart', 'paramiko', 'paramiko_ssh', 'openssh', 'local'].includes(plugin))
    throw new Problem(`${host}: ansible_connection ${connection.text} has no counterpart here`, {
      where: connection.where,
      next: 'Hosts are reached by ssh, or are this machine (local).',
    })
  const ssh: Ssh = {
    ...sshOf(all, notice),
    ...(plugin === 'local' && { transport: 'local' as const }),
    ...(!isAddress(name) && { host: name }),
    ...(port !== undefined && { port }),
    ...(user !== undefined && { user }),
    ...(identityFile !== undefined && { identityFile }),
  }
  return { ssh, become: becomeOf(host, ssh.user, said) }
}

/** Where Ansible connects. @throws Problem for a value that is no name and no address */
export function hostNameOf(host: string, vars: Vars): string {
  const given = word(host, vars, ['ansible_ssh_host', 'ansible_host'])
  if (given === undefined) return host
  if (/^[^\s[\]]+$/.test(given.text)) return given.text
  throw new Problem(`${host}: ${given.name} is no name or address: ${given.text}`, {
    where: given.where,
    next: given.text.includes('[')
      ? 'Ansible expands a range in names of hosts only. Give each host a line with its own address.'
      : 'Give it an IP address or a name.',
  })
}

interface Word {
  readonly name: string
  readonly text: string
  readonly where: string
}

type Said = (...names: readonly string[]) => Word | undefined

/** Root is the rule here, since hosts are provisioned; in Ansible each play decides. */
function becomeOf(host: string, user: string | undefined, said: Said): Become {
  const become = said('ansible_become')
  if (become && !isFalse(become.text) && !/^(true|yes|on|1|1\.0|y|t)$/i.test(become.text))
    throw new Problem(`${host}: ansible_become should be true or false, got ${become.text}`, {
      where: become.where,
    })
  if ((become && isFalse(become.text)) || user === 'root') return { method: 'none' }
  const other = said('ansible_become_user')
  if (other && other.text !== 'root')
    throw new Problem(`${host}: ansible_become_user ${other.text} has no counterpart here`, {
      where: other.where,
      next: "Steps run as root. A single command runs as another user with as: 'name'.",
    })
  const method = said('ansible_become_method')
  const plugin = (method?.text ?? 'sudo').replace(/^(ansible\.(builtin|legacy)|community\.general)\./, '')
  if (plugin === 'sudo' || plugin === 'doas') return { method: plugin }
  throw new Problem(`${host}: ansible_become_method ${plugin} has no counterpart here`, {
    ...(method && { where: method.where }),
    next: 'A user becomes root by sudo or doas, or logs in as root.',
  })
}

function isFalse(text: string): boolean {
  return /^(false|no|off|0|0\.0|n|f)$/i.test(text)
}

function portOf(host: string, given: Word | undefined): number | undefined {
  if (given === undefined) return undefined
  const port = /^\d+$/.test(given.text) ? Number(given.text) : 0
  if (port >= 1 && port <= 65535) return port
  throw new Problem(`${host}: ${given.name} should be a port from 1 to 65535, got ${given.text}`, {
    where: given.where,
  })
}

function refusePasswords(host: string, vars: Vars): void {
  for (const name of ['ansible_password', 'ansible_ssh_pass', 'ansible_ssh_password'])
    if (vars.has(name))
      throw new Problem(`${host}: ${name} is not read: hosts are reached with keys here`, {
        ...placeOf(vars.get(name)),
        next: 'Give the host your key (ssh-copy-id), and leave the password away.',
      })
  for (const name of ['ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass'])
    if (vars.has(name))
      throw new Problem(`${host}: ${name} is not read: a password does not belong into an inventory`, {
        ...placeOf(vars.get(name)),
        next: "Use --ask-become-password, or write in the inventory become: { password: secret.prompt('sudo') }.",
      })
}

function placeOf(one: Var | undefined): { readonly where?: string } {
  return one === undefined ? {} : { where: one.where }
}

/** The first of the variables that is given. */
function word(host: string, vars: Vars, names: readonly string[]): Word | undefined {
  for (const name of names) {
    const { value, where = '' } = vars.get(name) ?? {}
    if (value === undefined || value === null) continue
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return { name, text: String(value), where }
    const why = value instanceof Closed ? value.why : `should be a text, got ${JSON.stringify(value)}`
    throw new Problem(`${host}: ${name} ${why}`, {
      where,
      next: 'Write it in the inventory itself: ssh: { … }.',
    })
  }
  return undefined
}
