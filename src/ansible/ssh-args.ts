import type { JumpHost, Ssh } from '../model/inventory/host.ts'
import { Problem } from '../model/problem.ts'
import { jumpsIn } from '../shell/proxy-jump.ts'
import { shlex } from './python.ts'

/** ssh options in an Ansible variable. */
export interface SshArgs {
  readonly text: string
  /** The host and variable, for messages: `web1: ansible_ssh_common_args`. */
  readonly whose: string
  readonly where: string
}

export type Notice = (text: string) => void

/**
 * Converts ssh options. As with ssh, the first value of an option applies. An option without effect causes a notice.
 *
 * @throws Problem for an unsupported option
 */
export function sshSettings(given: readonly SshArgs[], notice: Notice): Ssh {
  const { destination, forward, ...settings }: Settings = Object.assign(
    {},
    ...given.map((args) => read(args, notice)).reverse(),
  )
  return settings
}

interface Settings extends Ssh {
  /** The host and command after the options. */
  readonly destination?: readonly string[]
  /** The value of -W. */
  readonly forward?: string
}

function read(args: SshArgs, notice: Notice): Settings {
  const found = shlex(args.text)
  if ('fault' in found) throw unsupported(args, args.text, found.fault)
  const settings = options(found.words, args, notice)
  if (settings.destination) throw unsupported(args, settings.destination.join(' '), 'It is no option')
  if (settings.forward !== undefined) throw unsupported(args, `-W ${settings.forward}`)
  return settings
}

/** Options without a value and without effect. */
const SILENT = /^[46AaCKknqTtvXxYy]$/
const WITH_VALUE = /^[BbcDEeFIiJLlmOopQRSWw]$/

function options(words: readonly string[], args: SshArgs, notice: Notice): Settings {
  let settings: Settings = {}
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (word === '--' || !/^-./.test(word)) {
      const rest = words.slice(word === '--' ? i + 1 : i)
      return rest.length === 0 ? settings : { ...settings, destination: rest }
    }
    // Letters may be combined: -qp 22.
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] ?? ''
      if (SILENT.test(letter)) {
        if (!'qvnTt'.includes(letter)) notice(`-${letter} has no effect`)
        continue
      }
      if (!WITH_VALUE.test(letter)) throw unsupported(args, word)
      const value = word.slice(at + 1) || words[++i]
      if (value === undefined) throw unsupported(args, word, 'A value is missing')
      settings = { ...flag(letter, value, args, notice), ...settings }
      break
    }
  }
  return settings
}

function flag(letter: string, value: string, args: SshArgs, notice: Notice): Settings {
  const keyword = { i: 'IdentityFile', p: 'Port', l: 'User', J: 'ProxyJump' }[letter]
  if (keyword !== undefined) return setting(keyword, value, args, notice)
  if (letter === 'W') return { forward: value }
  const [, name, text = ''] = /^\s*([a-z]\w*)\s*[\s=]\s*(.*?)\s*$/i.exec(letter === 'o' ? value : '') ?? []
  if (name === undefined) throw unsupported(args, `-${letter} ${value}`)
  const unquoted = name.toLowerCase() === 'proxycommand' ? text : text.replace(/^"(.*)"$/, '$1')
  return setting(name, unquoted, args, notice)
}

interface Option {
  /** `Port=22`. */
  readonly option: string
  readonly value: string
  readonly args: SshArgs
  readonly notice: Notice
}

function setting(name: string, value: string, args: SshArgs, notice: Notice): Settings {
  const option: Option = { option: `${name}=${value}`, value, args, notice }
  switch (name.toLowerCase()) {
    case 'user':
      return { user: value }
    case 'port':
      return { port: portOf(option) }
    case 'identityfile':
      return { identityFile: value }
    case 'connecttimeout':
      return { connectTimeout: `${seconds(option)}s` }
    case 'proxyjump':
      return { proxyJump: jumpHosts(value, option) }
    case 'proxycommand':
      return { proxyJump: proxyCommand(option) }
    case 'stricthostkeychecking':
      return hostKeys(option)
    case 'userknownhostsfile':
      return knownHosts(option)
    default:
      if (!NO_EFFECT.test(name) && !/^globalknownhostsfile=\/dev\/null$/i.test(option.option))
        throw unsupported(args, option.option)
      notice(`${option.option} has no effect`)
      return {}
  }
}

/** Options that change neither the reached or trusted host nor the algorithms. */
const NO_EFFECT =
  /^(control(master|persist|path)|serveralive(interval|countmax)|tcpkeepalive|forward(agent|x11|x11trusted)|compression|loglevel|gssapi\w+|(pubkey|password|kbdinteractive|challengeresponse|keyboardinteractive|hostbased)authentication|preferredauthentications|batchmode|numberofpasswordprompts|requesttty|sendenv|setenv|addkeystoagent|identitiesonly|connectionattempts|checkhostip|hashknownhosts|visualhostkey|addressfamily|permitlocalcommand|exitonforwardfailure|clearallforwardings|updatehostkeys|ipqos)$/i

function hostKeys({ option, value, args, notice }: Option): Settings {
  switch (value.toLowerCase()) {
    case 'no':
    case 'off':
    case 'false':
      notice(
        `${option} is treated as accept-new: an unknown host key is added to known_hosts, a changed key is rejected`,
      )
      return { hostKeys: 'accept-new' }
    case 'accept-new':
      return { hostKeys: 'accept-new' }
    case 'yes':
    case 'true':
    case 'ask':
      return { hostKeys: 'strict' }
    default:
      throw unsupported(args, option)
  }
}

function knownHosts({ option, value, notice }: Option): Settings {
  if (value !== '/dev/null' && value.toLowerCase() !== 'none') {
    const paths = shlex(value)
    return { knownHosts: 'words' in paths ? paths.words : [value] }
  }
  notice(`${option} has no effect: host keys are stored in known_hosts`)
  return {}
}

function jumpHosts(value: string, { option, args }: Option): readonly JumpHost[] {
  const found = jumpsIn(value)
  for (const { host, user, port } of found)
    if (
      !/^[\w.:%-]+$/.test(host) ||
      host.startsWith('-') ||
      user === '' ||
      user?.includes('%') ||
      (port !== undefined && !isPort(port))
    )
      throw unsupported(args, option, 'A jump host is [user@]host[:port]')
  return found
}

/** Converts `ssh -W %h:%p user@bastion` and `ssh user@bastion nc %h %p` to a jump host. */
function proxyCommand(given: Option): readonly JumpHost[] {
  const { option, value, args, notice } = given
  if (value.toLowerCase() === 'none') return []
  const error = () => unsupported(args, option, PROXY_COMMAND)
  const found = shlex(value.replace(/\s+2>\s*\/dev\/null\s*$/, ''))
  const [program, ...rest] = 'words' in found ? found.words.slice(found.words[0] === 'exec' ? 1 : 0) : []
  if (program === undefined || !/^(\/\S*\/)?ssh$/.test(program)) throw error()
  const { destination: [host = '', ...command] = [], forward, proxyJump = [], ...own } = options(rest, args, notice)
  // Options may also follow the host.
  const after = forward === undefined && command[0]?.startsWith('-') ? options(command, args, notice) : {}
  const { destination: more, forward: forwardAfter, proxyJump: jumpsAfter = [], ...ownAfter } = after
  const through = forward ?? forwardAfter ?? netcat(more ?? command)
  if (through === undefined || !/^\[?%h\]?:%p$/.test(through)) throw error()
  const [last] = jumpHosts(host, given)
  if (last === undefined || host.includes(',')) throw error()
  return [...[proxyJump, jumpsAfter].flat(), { ...ownAfter, ...last, ...own }]
}

const PROXY_COMMAND = 'A ProxyCommand is supported only as ssh -W %h:%p with a host'

function netcat([program = '', ...args]: readonly string[]): string | undefined {
  return /^(nc|netcat|ncat)$/.test(program) && /^((-w ?\d+|-q ?\d+) )*%h %p$/.test(args.join(' ')) ? '%h:%p' : undefined
}

function portOf({ option, value, args }: Option): number {
  if (/^\d+$/.test(value) && isPort(Number(value))) return Number(value)
  throw unsupported(args, option, 'A port is a number from 1 to 65535')
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65535
}

function seconds({ option, value, args }: Option): number {
  if (/^[1-9]\d*$/.test(value)) return Number(value)
  throw unsupported(args, option, 'A time is a number of seconds')
}

function unsupported({ whose, where, text }: SshArgs, option: string, why?: string): Problem {
  return new Problem(`${whose} has an unsupported option: ${option}`, {
    where,
    details: [...(why === undefined ? [] : [why]), `the whole value: ${text}`],
    next: 'Move it to ~/.ssh/config, which is read here too, or set it in the inventory: ssh: { … }.',
  })
}
