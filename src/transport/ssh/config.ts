import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { Semaphore } from '../concurrency.ts'
import { isErrno, throwIfStopped, Unreachable } from '../errors.ts'

/** Keywords of ssh_config in lower case, each with its values, as `ssh -G` prints them. */
export type SshConfig = ReadonlyMap<string, readonly string[]>

interface ConfigQuery {
  readonly host: string
  /** Another name whose `Host` block applies too: the inventory's name of a host whose `host` is an address. */
  readonly alias?: string | undefined
  readonly user?: string | undefined
  readonly port?: number | undefined
  /** Prevents further calls of ssh. */
  readonly stop?: AbortSignal | undefined
}

interface SshQuery extends Omit<ConfigQuery, 'alias'> {
  /** Overrides every HostName of the configuration. */
  readonly hostName?: string
}

/** A name that no block mentions. */
const NO_HOST = 'no-such-host.invalid'

/**
 * Reads the user's ssh_config with `ssh -G`, which implements Include, Match and tokens. It takes 13 ms per host and is skipped if no part
 * of the configuration applies to the host.
 */
export class SshConfigReader {
  /** `ssh -F`; it is then read for every host. */
  readonly #file: string | undefined
  readonly #ssh: string
  readonly #semaphore = new Semaphore(8)
  readonly #answers = new Map<string, Promise<SshConfig>>()
  #texts: readonly string[] | undefined

  constructor({ file, ssh = 'ssh' }: { file?: string | undefined; ssh?: string | undefined } = {}) {
    this.#file = file
    this.#ssh = ssh
  }

  async read(query: ConfigQuery): Promise<SshConfig> {
    const [config, aliased] = await Promise.all([this.#answer(query), this.aliased(query)])
    if (aliased.size === 0) return config
    // A ProxyJump replaces a ProxyCommand and vice versa.
    const isProxy = (keyword: string) => keyword === 'proxyjump' || keyword === 'proxycommand'
    const kept = [...config].filter(([keyword]) => !isProxy(keyword) || ![...aliased.keys()].some(isProxy))
    return new Map([...kept, ...aliased])
  }

  /**
   * The settings of blocks that match the alias: those that ssh reports for the alias and for no other name. HostName is ignored, because
   * the inventory's address applies. A keyword without values does not apply to the alias.
   */
  async aliased({ alias, ...query }: ConfigQuery): Promise<SshConfig> {
    if (alias === undefined || alias === query.host || !this.#mentions(alias)) return new Map()
    const hostName = query.host
    const [own, others] = await Promise.all([
      this.#answer({ ...query, host: alias, hostName }),
      this.#answer({ ...query, host: NO_HOST, hostName }),
    ])
    const differs = (keyword: string) => own.get(keyword)?.join('\n') !== others.get(keyword)?.join('\n')
    const keywords = [...own.keys(), ...others.keys()].filter((one) => one !== 'host' && differs(one))
    return new Map(keywords.map((keyword) => [keyword, own.get(keyword) ?? []]))
  }

  get #files(): readonly string[] {
    this.#texts ??= this.#file === undefined ? defaultFiles() : [textOf(this.#file)]
    return this.#texts
  }

  #mentions(alias: string): boolean {
    return this.#files.some((text) => mentions(text, alias))
  }

  async #answer(query: SshQuery): Promise<SshConfig> {
    if (this.#file === undefined && query.hostName === undefined) {
      const texts = this.#files
      if (texts.every((text) => !concerns(text, query.host))) return withoutSsh(texts)
    }
    const key = JSON.stringify([query.host, query.hostName, query.user, query.port])
    const answer =
      this.#answers.get(key) ??
      this.#semaphore.run(() => {
        throwIfStopped(query.stop)
        return this.#ask(query)
      })
    this.#answers.set(key, answer)
    return answer
  }

  async #ask({ host, hostName, user, port }: SshQuery): Promise<SshConfig> {
    const options = [
      '-G',
      ...(this.#file === undefined ? [] : ['-F', this.#file]),
      ...(user === undefined ? [] : ['-l', user]),
      ...(port === undefined ? [] : ['-p', String(port)]),
      ...(hostName === undefined ? [] : ['-o', `HostName=${hostName}`]),
    ]
    const answer = await new Promise<{ error: Error | null; stdout: string; stderr: string }>((resolve) =>
      execFile(this.#ssh, [...options, '--', host], (error, stdout, stderr) => resolve({ error, stdout, stderr })),
    )
    if (isErrno(answer.error, 'ENOENT')) return new Map()
    if (answer.error)
      throw new Unreachable(`ssh cannot read its configuration for ${host}`, {
        reason: 'settings',
        details: answer.stderr.trim().split('\n'),
        next: `Try: ${[this.#ssh, ...options].join(' ')} ${host}`,
      })
    return parse(answer.stdout)
  }
}

/** True if a block may apply to this name only, and not to all hosts. True in doubt. */
function mentions(text: string, alias: string): boolean {
  return [...directives(text)].some(([keyword, value]) => {
    if (keyword !== 'host') return keyword === 'match' || (keyword === 'include' && !NO_EFFECT.test(`include ${value}`))
    return matchesHost(value, alias) !== matchesHost(value, NO_HOST)
  })
}

function matchesHost(patterns: string, host: string): boolean {
  return matchesPatterns(patterns.replaceAll('"', '').replace(/\s+/g, ','), host.toLowerCase())
}

/** True if a pattern list of OpenSSH (`*.example.com,!db?.example.com`) matches the name. A negated match overrides all others. */
export function matchesPatterns(patterns: string, name: string): boolean {
  let matches = false
  for (const pattern of patterns.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!')
    if (!wildcard(negated ? pattern.slice(1) : pattern).test(name)) continue
    if (negated) return false
    matches = true
  }
  return matches
}

function wildcard(pattern: string): RegExp {
  const source = pattern.replace(/[\\^$.+()[\]{}|]/g, '\\$&')
  return new RegExp(`^${source.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's')
}

/** True if any setting may apply to this host. True in doubt. */
export function concerns(text: string, host: string): boolean {
  let applies = true
  for (const [keyword, value] of directives(text)) {
    if (keyword === 'match') return true
    if (keyword === 'host') applies = matchesHost(value, host)
    else if (applies && !NO_EFFECT.test(`${keyword} ${value}`)) return true
  }
  return false
}

/** Settings without effect here: those of the files of Debian and macOS. Files of the usual Include are read. */
const NO_EFFECT =
  /^(sendenv|setenv|gssapi\w+|hashknownhosts|visualhostkey|loglevel|forwardx11\w*|control\w+|addkeystoagent) |^include \/etc\/ssh\/ssh_config\.d\/\*(\.conf)?$/

const SYSTEM = '/etc/ssh'

function defaultFiles(): readonly string[] {
  const parts = join(SYSTEM, 'ssh_config.d')
  // OpenSSH takes the home from the user database and not from $HOME.
  const paths = [join(userInfo().homedir, '.ssh/config'), join(SYSTEM, 'ssh_config')]
  return [...paths, ...listing(parts).map((name) => join(parts, name))].map(textOf)
}

function withoutSsh(texts: readonly string[]): SshConfig {
  const lines = texts.flatMap((text) => [...directives(text)])
  const hash = lines.find(([keyword]) => keyword === 'hashknownhosts')
  return new Map(hash ? [['hashknownhosts', [hash[1]]]] : [])
}

function parse(answer: string): SshConfig {
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
    // For an unreadable file ssh itself has to report the error.
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
