import type { JumpHost, Ssh } from '../model/inventory/host.ts'
import { Problem } from '../model/problem.ts'
import { jumpsIn } from '../shell/proxy-jump.ts'
import { shlex } from './shlex.ts'

/** Options of ssh as a variable of Ansible holds them. */
export interface SshArgs {
  readonly text: string
  /** Says whose they are, for messages: `web1: ansible_ssh_common_args`. */
  readonly whose: string
  readonly where: string
}

export type Notice = (text: string) => void

/**
 * The options of ssh that an inventory gives to Ansible, as settings of ours. As with ssh, the first word on a matter holds. An option
 * that changes nothing here is told as a notice.
 *
 * @throws Problem for an option that cannot be followed
 */
export function sshOf(given: readonly SshArgs[], notice: Notice): Ssh {
  const { destination, passage, ...settings }: Settings = Object.assign(
    {},
    ...given.map((args) => read(args, notice)).reverse(),
  )
  return settings
}

interface Settings extends Ssh {
  /** Words behind the options: the host, and a command. */
  readonly destination?: readonly string[]
  /** Of -W. */
  readonly passage?: string
}

function read(args: SshArgs, notice: Notice): Settings {
  const found = shlex(args.text)
  if ('fault' in found) throw unread(args, args.text, found.fault)
  const settings = options(found.words, args, notice)
  if (settings.destination) throw unread(args, settings.destination.join(' '), 'It is no option')
  if (settings.passage !== undefined) throw unread(args, `-W ${settings.passage}`)
  return settings
}

/** Options of ssh that take no value and change nothing here. */
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
    // Letters may stand together: -qp 22.
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] ?? ''
      if (SILENT.test(letter)) {
        if (!'qvnTt'.includes(letter)) notice(`-${letter} has no effect here`)
        continue
      }
      if (!WITH_VALUE.test(letter)) throw unread(args, word)
      const value = word.slice(at + 1) || words[++i]
      if (value === undefined) throw unread(args, word, 'A value is missing')
      settings = { ...flag(letter, value, args, notice), ...settings }
      break
    }
  }
  return settings
}

function flag(letter: string, value: string, args: SshArgs, notice: Notice): Settings {
  const keyword = { i: 'IdentityFile', p: 'Port', l: 'User', J: 'ProxyJump' }[letter]
  if (keyword !== undefined) return setting(keyword, value, args, notice)
  if (letter === 'W') return { passage: value }
  const [, name, text = ''] = /^\s*([a-z]\w*)\s*[\s=]\s*(.*?)\s*$/i.exec(letter === 'o' ? value : '') ?? []
  if (name === undefined) throw unread(args, `-${letter} ${value}`)
  return setting(
    name,
    name.toLowerCase() === 'proxycommand' ? text : text.replace(/^"(.*)"$/, '$1'),
    args,
    notice,
  )
}

function setting(name: string, value: string, args: SshArgs, notice: Notice): Settings {
  const said = `${name}=${value}`
  switch (name.toLowerCase()) {
    case 'user':
      return { user: value }
    case 'port':
      return { port: portOf(value, said, args) }
    case 'identityfile':
      return { identityFile: value }
    case 'connecttimeout':
      return { connectTimeout: `${seconds(value, said, args)}s` }
    case 'proxyjump':
      return { proxyJump: jumps(value, said, args) }
    case 'proxycommand':
      return { proxyJump: proxyCommand(value, said, args, notice) }
    case 'stricthostkeychecking':
      return hostKeys(value, said, args, notice)
    case 'userknownhostsfile':
      return knownHosts(value, notice)
    default:
      if (!NO_EFFECT.test(name) && !/^globalknownhostsfile=\/dev\/null$/i.test(said)) throw unread(args, said)
      notice(`${said} has no effect here`)
      return {}
  }
}

/** Options that change neither whom we reach, nor whom we trust, nor what is agreed on. */
const NO_EFFECT =
  /^(control(master|persist|path)|serveralive(interval|countmax)|tcpkeepalive|forward(agent|x11|x11trusted)|compression|loglevel|gssapi\w+|(pubkey|password|kbdinteractive|challengeresponse|keyboardinteractive|hostbased)authentication|preferredauthentications|batchmode|numberofpasswordprompts|requesttty|sendenv|setenv|addkeystoagent|identitiesonly|connectionattempts|checkhostip|hashknownhosts|visualhostkey|addressfamily|permitlocalcommand|exitonforwardfailure|clearallforwardings|updatehostkeys|ipqos)$/i

function hostKeys(value: string, said: string, args: SshArgs, notice: Notice): Settings {
  switch (value.toLowerCase()) {
    case 'no':
    case 'off':
    case 'false':
      notice(
        `${said} is read as accept-new: the key of a new host is added to known_hosts, a changed key is refused`,
      )
      return { hostKeys: 'accept-new' }
    case 'accept-new':
      return { hostKeys: 'accept-new' }
    case 'yes':
    case 'true':
    case 'ask':
      return { hostKeys: 'strict' }
    default:
      throw unread(args, said)
  }
}

function knownHosts(value: string, notice: Notice): Settings {
  if (value !== '/dev/null' && value.toLowerCase() !== 'none') {
    const paths = shlex(value)
    return { knownHosts: 'words' in paths ? paths.words : [value] }
  }
  notice(`UserKnownHostsFile=${value} has no effect here: host keys are kept in known_hosts`)
  return {}
}

function jumps(value: string, said: string, args: SshArgs): readonly JumpHost[] {
  const found = jumpsIn(value)
  for (const { host, user, port } of found)
    if (
      !/^[\w.:%-]+$/.test(host) ||
      host.startsWith('-') ||
      user === '' ||
      user?.includes('%') ||
      (port !== undefined && !isPort(port))
    )
      throw unread(args, said, 'A jump host is [user@]host[:port]')
  return found
}

/** `ssh -W %h:%p user@bastion`, or `ssh user@bastion nc %h %p`, is a jump host by another name. */
function proxyCommand(value: string, said: string, args: SshArgs, notice: Notice): readonly JumpHost[] {
  if (value.toLowerCase() === 'none') return []
  const found = shlex(value.replace(/\s+2>\s*\/dev\/null\s*$/, ''))
  const [program, ...rest] = 'words' in found ? found.words.slice(found.words[0] === 'exec' ? 1 : 0) : []
  if (program === undefined || !/^(\/\S*\/)?ssh$/.test(program)) throw unread(args, said, PROXY_COMMAND)
  const {
    destination: [host = '', ...command] = [],
    passage,
    proxyJump = [],
    ...own
  } = options(rest, args, notice)
  // Options may stand behind the host, too.
  const behind = passage === undefined && command[0]?.startsWith('-') ? options(command, args, notice) : {}
  const { destination: more, passage: passageBehind, proxyJump: viaBehind, ...ownBehind } = behind
  const through = passage ?? passageBehind ?? netcat(more ?? command)
  if (through === undefined || !/^\[?%h\]?:%p$/.test(through)) throw unread(args, said, PROXY_COMMAND)
  const [last] = jumps(host, said, args)
  if (last === undefined || host.includes(',')) throw unread(args, said, PROXY_COMMAND)
  return [...[proxyJump, viaBehind ?? []].flat(), { ...ownBehind, ...last, ...own }]
}

const PROXY_COMMAND = 'A ProxyCommand is read where it is ssh -W %h:%p with a host'

function netcat([program = '', ...words]: readonly string[]): string | undefined {
  return /^(nc|netcat|ncat)$/.test(program) && /^((-w ?\d+|-q ?\d+) )*%h %p$/.test(words.join(' '))
    ? '%h:%p'
    : undefined
}

function portOf(value: string, said: string, args: SshArgs): number {
  if (/^\d+$/.test(value) && isPort(Number(value))) return Number(value)
  throw unread(args, said, 'A port is a number from 1 to 65535')
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65535
}

function seconds(value: string, said: string, args: SshArgs): number {
  if (/^[1-9]\d*$/.test(value)) return Number(value)
  throw unread(args, said, 'A time is a number of seconds')
}

function unread({ whose, where, text }: SshArgs, option: string, why?: string): Problem {
  return new Problem(`${whose} has an option that cannot be followed: ${option}`, {
    where,
    details: [...(why === undefined ? [] : [why]), `the whole value: ${text}`],
    next: 'Put it into ~/.ssh/config, which counts here as it does for ssh, or write the settings of the host in the inventory: ssh: { … }.',
  })
}
