import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { Semaphore } from '../concurrency.ts'
import { isErrno, throwIfStopped, Unreachable } from '../errors.ts'
import { matchesPatterns } from '../ssh2/known-hosts.ts'

/** Keywords of ssh_config in small letters, each with its values, as `ssh -G` prints them. */
export type SshConfig = ReadonlyMap<string, readonly string[]>

export interface AskedHost {
  readonly host: string
  /** Another name of the host, whose `Host` block counts, too: that of the inventory where `host` is an address. */
  readonly alias?: string
  readonly user?: string
  readonly port?: number
  /** No question is begun after it. */
  readonly stop?: AbortSignal
}

interface Question extends Omit<AskedHost, 'alias'> {
  /** Goes before every HostName of the configuration. */
  readonly hostName?: string
}

/** A name that no block is about. */
const NO_HOST = 'no-such-host.invalid'

/**
 * Reads the user's ssh_config by asking `ssh -G`, which alone knows all of Include, Match and the tokens. It takes 13 ms a host,
 * so it is left out where no part of the configuration speaks of the host.
 */
export class SshConfigReader {
  /** `ssh -F`; it is then read for each host. */
  readonly #file: string | undefined
  readonly #ssh: string
  readonly #gate = new Semaphore(8)
  readonly #answers = new Map<string, Promise<SshConfig>>()
  #texts: readonly string[] | undefined
  #named: readonly string[] | undefined

  constructor({ file, ssh = 'ssh' }: { file?: string; ssh?: string } = {}) {
    this.#file = file
    this.#ssh = ssh
  }

  async read(asked: AskedHost): Promise<SshConfig> {
    const [config, aliased] = await Promise.all([this.#answer(asked), this.aliased(asked)])
    if (aliased.size === 0) return config
    // A ProxyJump takes the place of a ProxyCommand, and the other way round.
    const isWay = (keyword: string) => keyword === 'proxyjump' || keyword === 'proxycommand'
    const kept = [...config].filter(([keyword]) => !isWay(keyword) || ![...aliased.keys()].some(isWay))
    return new Map([...kept, ...aliased])
  }

  /**
   * The settings of blocks that match the alias: what ssh says of the alias and not of any other name. Its HostName is left out: the
   * address of the inventory holds. A keyword without values is one that does not hold for the alias.
   */
  async aliased({ alias, ...asked }: AskedHost): Promise<SshConfig> {
    if (alias === undefined || alias === asked.host || !this.#speaksOf(alias)) return new Map()
    const hostName = asked.host
    const [own, others] = await Promise.all([
      this.#answer({ ...asked, host: alias, hostName }),
      this.#answer({ ...asked, host: NO_HOST, hostName }),
    ])
    const differs = (keyword: string) => own.get(keyword)?.join('\n') !== others.get(keyword)?.join('\n')
    const keywords = [...own.keys(), ...others.keys()].filter((one) => one !== 'host' && differs(one))
    return new Map(keywords.map((keyword) => [keyword, own.get(keyword) ?? []]))
  }

  #speaksOf(alias: string): boolean {
    this.#named ??= this.#file === undefined ? usualFiles() : [textOf(this.#file)]
    return this.#named.some((text) => names(text, alias))
  }

  async #answer(asked: Question): Promise<SshConfig> {
    this.#texts ??= this.#file === undefined ? usualFiles() : undefined
    const left = asked.hostName === undefined && this.#texts?.every((text) => !concerns(text, asked.host))
    if (left && this.#texts) return withoutAsking(this.#texts)
    const key = JSON.stringify([asked.host, asked.hostName, asked.user, asked.port])
    const answer =
      this.#answers.get(key) ??
      this.#gate.pass(() => {
        throwIfStopped(asked.stop)
        return this.#ask(asked)
      })
    this.#answers.set(key, answer)
    return answer
  }

  async #ask({ host, hostName, user, port }: Question): Promise<SshConfig> {
    const options = [
      '-G',
      ...(this.#file === undefined ? [] : ['-F', this.#file]),
      ...(user === undefined ? [] : ['-l', user]),
      ...(port === undefined ? [] : ['-p', String(port)]),
      ...(hostName === undefined ? [] : ['-o', `HostName=${hostName}`]),
    ]
    const answer = await new Promise<{ error: Error | null; stdout: string; stderr: string }>((resolve) =>
      execFile(this.#ssh, [...options, '--', host], (error, stdout, stderr) =>
        resolve({ error, stdout, stderr }),
      ),
    )
    if (isErrno(answer.error, 'ENOENT')) return new Map()
    if (answer.error)
      throw new Unreachable(`ssh cannot read its configuration for ${host}`, {
        reason: 'settings',
        details: answer.stderr.trim().split('\n'),
        next: `Try: ${[this.#ssh, ...options].join(' ')} ${host}`,
      })
    return settingsIn(answer.stdout)
  }
}

/** Whether a block may be about this name alone, and not about all hosts. In doubt it is. */
function names(text: string, alias: string): boolean {
  return [...directives(text)].some(([keyword, value]) => {
    if (keyword !== 'host')
      return keyword === 'match' || (keyword === 'include' && !HARMLESS.test(`include ${value}`))
    return isCovered(value, alias) !== isCovered(value, NO_HOST)
  })
}

function isCovered(patterns: string, host: string): boolean {
  return matchesPatterns(patterns.replaceAll('"', '').replace(/\s+/g, ','), host.toLowerCase())
}

/** Whether anything in the text could mean this host. In doubt it could. */
export function concerns(text: string, host: string): boolean {
  let applies = true
  for (const [keyword, value] of directives(text)) {
    if (keyword === 'match') return true
    if (keyword === 'host') applies = isCovered(value, host)
    else if (applies && !HARMLESS.test(`${keyword} ${value}`)) return true
  }
  return false
}

/** Lines that change nothing for us: those of Debian's and macOS' own files. Files that are included by the usual line are read. */
const HARMLESS =
  /^(sendenv|setenv|gssapi\w+|hashknownhosts|visualhostkey|loglevel|forwardx11\w*|control\w+|addkeystoagent) |^include \/etc\/ssh\/ssh_config\.d\/\*(\.conf)?$/

const SYSTEM = '/etc/ssh'

function usualFiles(): readonly string[] {
  const parts = join(SYSTEM, 'ssh_config.d')
  // OpenSSH takes the home from the user database, not from $HOME.
  const paths = [join(userInfo().homedir, '.ssh/config'), join(SYSTEM, 'ssh_config')]
  return [...paths, ...listing(parts).map((name) => join(parts, name))].map(textOf)
}

function withoutAsking(texts: readonly string[]): SshConfig {
  const lines = texts.flatMap((text) => [...directives(text)])
  const hash = lines.find(([keyword]) => keyword === 'hashknownhosts')
  return new Map(hash ? [['hashknownhosts', [hash[1]]]] : [])
}

function settingsIn(answer: string): SshConfig {
  const settings = new Map<string, string[]>()
  for (const [keyword, value] of directives(answer)) {
    const values = settings.get(keyword)
    if (values) values.push(value)
    else settings.set(keyword, [value])
  }
  return settings
}

function* directives(text: string): Generator<readonly [keyword: string, value: string]> {
  for (const line of text.split('\n')) {
    const [, keyword, value = ''] = /^\s*([A-Za-z]\w*)\s*[\s=]\s*(.*?)\s*$/.exec(line) ?? []
    if (keyword !== undefined) yield [keyword.toLowerCase(), value]
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // Unreadable means that ssh itself must say so.
    return isErrno(error, 'ENOENT', 'ENOTDIR') ? '' : 'match unreadable'
  }
}

function listing(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.conf'))
  } catch {
    return []
  }
}
