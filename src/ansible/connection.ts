import { isAddress } from '../model/inventory/fields.ts'
import type { Become, Ssh } from '../model/inventory/host.ts'
import { Problem } from '../model/problem.ts'
import { type Notice, type SshArgs, sshSettings } from './ssh-args.ts'
import { Unusable, type Vars } from './variables.ts'

/** Converts a host's connection variables. @throws Problem for a value that is not supported */
export function connectionOf(host: string, vars: Vars, notice: Notice): { readonly ssh: Ssh; readonly become: Become } {
  const get = (...names: readonly string[]) => textVariable(host, vars, names)
  rejectPasswords(host, vars)
  const user = get('ansible_ssh_user', 'ansible_user')?.text
  const port = portOf(host, get('ansible_ssh_port', 'ansible_port'))
  const identityFile = get('ansible_ssh_private_key_file', 'ansible_private_key_file')?.text
  const name = hostNameOf(host, vars)
  const connection = get('ansible_connection')
  const plugin = (connection?.text ?? 'ssh').replace(/^ansible\.(builtin|legacy)\./, '')
  if (connection && !['ssh', 'smart', 'paramiko', 'paramiko_ssh', 'openssh', 'local'].includes(plugin))
    throw new Problem(`${host}: ansible_connection ${connection.text} has no counterpart here`, {
      where: connection.where,
      next: 'Supported are ssh and local.',
    })
  const ssh: Ssh = {
    ...sshSettings(sshArgs(host, get), notice),
    ...(plugin === 'local' && { transport: 'local' as const }),
    ...(!isAddress(name) && { host: name }),
    ...(port !== undefined && { port }),
    ...(user !== undefined && { user }),
    ...(identityFile !== undefined && { identityFile }),
  }
  return { ssh, become: becomeOf(host, ssh.user, get) }
}

/** The name or address that Ansible connects to. @throws Problem for any other value */
export function hostNameOf(host: string, vars: Vars): string {
  const given = textVariable(host, vars, ['ansible_ssh_host', 'ansible_host'])
  if (given === undefined) return host
  if (/^[^\s[\]]+$/.test(given.text)) return given.text
  throw new Problem(`${host}: ${given.name} is not a name or address: ${given.text}`, {
    where: given.where,
    next: given.text.includes('[')
      ? 'Ansible expands ranges only in host names. Write one line with an address for each host.'
      : 'Give it an IP address or a name.',
  })
}

interface TextVariable {
  readonly name: string
  readonly text: string
  readonly where: string
}

type Get = (...names: readonly string[]) => TextVariable | undefined

function sshArgs(host: string, get: Get): readonly SshArgs[] {
  const checking = get('ansible_ssh_host_key_checking', 'ansible_host_key_checking')
  const unchecked = checking && isFalse(checking.text)
  return [
    ...(unchecked ? [{ ...checking, text: '-o StrictHostKeyChecking=no' }] : []),
    ...['ansible_ssh_args', 'ansible_ssh_common_args', 'ansible_ssh_extra_args'].flatMap((name) => get(name) ?? []),
  ].map(({ name, text, where }) => ({ text, where, whose: `${host}: ${name}` }))
}

/** Becomes root by default, because hosts are provisioned as root; in Ansible each play decides. */
function becomeOf(host: string, user: string | undefined, get: Get): Become {
  const become = get('ansible_become')
  if (become && !isFalse(become.text) && !/^(true|yes|on|1|1\.0|y|t)$/i.test(become.text))
    throw new Problem(`${host}: ansible_become should be true or false, got ${become.text}`, { where: become.where })
  if ((become && isFalse(become.text)) || user === 'root') return { method: 'none' }
  const other = get('ansible_become_user')
  if (other && other.text !== 'root')
    throw new Problem(`${host}: ansible_become_user ${other.text} has no counterpart here`, {
      where: other.where,
      next: "Steps run as root. To run a command as another user: as: 'name'.",
    })
  const method = get('ansible_become_method')
  const plugin = (method?.text ?? 'sudo').replace(/^(ansible\.(builtin|legacy)|community\.general)\./, '')
  if (plugin === 'sudo' || plugin === 'su' || plugin === 'doas') return { method: plugin }
  throw new Problem(`${host}: ansible_become_method ${plugin} has no counterpart here`, {
    ...(method && { where: method.where }),
    next: 'Supported are sudo, su and doas, or a login as root.',
  })
}

function isFalse(text: string): boolean {
  return /^(false|no|off|0|0\.0|n|f)$/i.test(text)
}

function portOf(host: string, given: TextVariable | undefined): number | undefined {
  if (given === undefined) return undefined
  const port = /^\d+$/.test(given.text) ? Number(given.text) : 0
  if (port >= 1 && port <= 65535) return port
  throw new Problem(`${host}: ${given.name} should be a port from 1 to 65535, got ${given.text}`, {
    where: given.where,
  })
}

const PASSWORDS = [
  {
    names: ['ansible_password', 'ansible_ssh_pass', 'ansible_ssh_password'],
    why: 'logins use keys',
    next: 'Add your key to the host (ssh-copy-id) and remove the password.',
  },
  {
    names: ['ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass'],
    why: 'an inventory must not contain passwords',
    next: "Use --ask-become-password, or set in the inventory become: { password: secret.prompt('sudo') }.",
  },
] as const

function rejectPasswords(host: string, vars: Vars): void {
  for (const { names, why, next } of PASSWORDS)
    for (const name of names) {
      const found = vars.get(name)
      if (found) throw new Problem(`${host}: ${name} is not supported: ${why}`, { where: found.where, next })
    }
}

/** The first of the variables that is set. */
function textVariable(host: string, vars: Vars, names: readonly string[]): TextVariable | undefined {
  for (const name of names) {
    const { value, where = '' } = vars.get(name) ?? {}
    if (value === undefined || value === null) continue
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return { name, text: String(value), where }
    const why = value instanceof Unusable ? value.why : `should be a text, got ${JSON.stringify(value)}`
    throw new Problem(`${host}: ${name} ${why}`, { where, next: 'Set it in the inventory: ssh: { … }.' })
  }
  return undefined
}
