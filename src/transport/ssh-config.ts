import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { isErrno } from './errno.ts'
import { Gate } from './gate.ts'
import { covers } from './known-hosts.ts'
import { Unreachable } from './unreachable.ts'

/** Keywords of ssh_config in small letters, each with its values, as `ssh -G` prints them. */
export type SshConfig = ReadonlyMap<string, readonly string[]>

export interface AskedHost {
  readonly host: string
  readonly user?: string
  readonly port?: number
}

/**
 * Reads the user's ssh_config by asking `ssh -G`, which alone knows all of Include, Match and the tokens. It takes 13 ms a host,
 * so it is left out where no part of the configuration speaks of the host.
 */
export class SshConfigReader {
  /** `ssh -F`; it is then read for each host. */
  readonly #file: string | undefined
  readonly #ssh: string
  readonly #gate = new Gate(8)
  readonly #answers = new Map<string, Promise<SshConfig>>()
  #texts: readonly string[] | undefined

  constructor({ file, ssh = 'ssh' }: { file?: string; ssh?: string } = {}) {
    this.#file = file
    this.#ssh = ssh
  }

  async read(asked: AskedHost): Promise<SshConfig> {
    this.#texts ??= this.#file === undefined ? usualFiles() : undefined
    if (this.#texts?.every((text) => !concerns(text, asked.host))) return withoutAsking(this.#texts)
    const key = JSON.stringify([asked.host, asked.user, asked.port])
    const answer = this.#answers.get(key) ?? this.#gate.pass(() => this.#ask(asked))
    this.#answers.set(key, answer)
    return answer
  }

  async #ask({ host, user, port }: AskedHost): Promise<SshConfig> {
    const options = [
      '-G',
      ...(this.#file === undefined ? [] : ['-F', this.#file]),
      ...(user === undefined ? [] : ['-l', user]),
      ...(port === undefined ? [] : ['-p', String(port)]),
    ]
    const answer = await new Promise<{ error: Error | null; stdout: string; stderr: string }>((resolve) =>
      execFile(this.#ssh, [...options, '--', host], (error, stdout, stderr) =>
        resolve({ error, stdout, stderr }),
      ),
    )
    if (isErrno(answer.error, 'ENOENT')) return new Map()
    if (answer.error)
      throw new Unreachable(`ssh cannot read its configuration for ${host}`, {
        obstacle: 'settings',
        details: answer.stderr.trim().split('\n'),
        next: `Try: ${[this.#ssh, ...options].join(' ')} ${host}`,
      })
    return settingsIn(answer.stdout)
  }
}

/** Whether anything in the text could mean this host. In doubt it could. */
export function concerns(text: string, host: string): boolean {
  let applies = true
  for (const [keyword, value] of directives(text)) {
    if (keyword === 'match') return true
    if (keyword === 'host')
      applies = covers(value.replaceAll('"', '').replace(/\s+/g, ','), host.toLowerCase())
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
