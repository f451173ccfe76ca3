import { createHmac } from 'node:crypto'
import { Problem } from '../../model/problem.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { checkPath } from '../arguments.ts'
import { changeLines, editKind, type FileState } from '../files/edit.ts'
import type { AbsolutePath } from '../files/stat.ts'
import { appendedLine, type FileLine, withText } from '../files/text-lines.ts'

interface KnownHostsOptions extends StepOptions {
  /** @default 22 */
  readonly port?: number
  /** A file of one user, which must exist with its owner, or will belong to root. @default '/etc/ssh/ssh_known_hosts' */
  readonly path?: AbsolutePath
}

/**
 * The host keys of one server, which ssh on the host accepts. Other keys of that server are removed, also from lines with hashed names;
 * patterns and lines with markers such as `@cert-authority` stay. The keys of other servers stay.
 *
 * `knownHosts.absent(server)` removes all keys of a server.
 *
 * @param server a name or an address
 * @param keys as `ssh-keyscan` prints them, without the name: `ssh-ed25519 AAAA…`
 * @throws TypeError for an invalid name or key
 * @example knownHosts('git.example.com', ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIj0Xp8rkLtZ5LuWJ3S9JqCbU3sYxsYv3vP2yKb1uWkM'])
 */
export function knownHosts(
  server: string,
  keys: readonly [string, ...string[]],
  { port = 22, path = PATH, ...options }: KnownHostsOptions = {},
): Step {
  const name = checkedName(server, port, path)
  return knownHostsStep({ path, name, keys: keys.map((key) => checkedKey(server, key)) }, options)
}

knownHosts.absent = (server: string, { port = 22, path = PATH, ...options }: KnownHostsOptions = {}): Step =>
  knownHostsStep({ path, name: checkedName(server, port, path), keys: [] }, options)

const PATH = '/etc/ssh/ssh_known_hosts'

interface KnownHostsParams {
  readonly path: AbsolutePath
  /** The name with its port, as in the file: `[git.example.com]:2222`. */
  readonly name: string
  /** Type and base64. */
  readonly keys: readonly string[]
}

const knownHostsStep = resource<KnownHostsParams, FileState>(
  'knownHosts',
  editKind({
    id: ({ path, name }) => (path === PATH ? name : `${name} in ${path}`),
    path: ({ path }) => path,
    change: (params, before) => changeLines(before, (lines) => withKeys(params, lines)),
    removes: ({ keys }) => keys.length === 0,
  }),
)

function withKeys({ path, name, keys }: KnownHostsParams, lines: readonly FileLine[]): readonly FileLine[] {
  const missing = new Set(keys)
  const kept = lines.flatMap((line): readonly FileLine[] => {
    const [names = '', type = '', blob = ''] = line.text.trim().split(/\s+/)
    if (names.startsWith('@revoked') && keys.some((key) => line.text.includes(key))) throw revoked(path, name)
    if (names === '' || /^[#@]/.test(names) || !isNamed(names, name)) return [line]
    if (missing.delete(`${type} ${blob}`)) return [line]
    const others = names.split(',').filter((one) => one !== name && !isHashOf(one, name))
    return others.length === 0 ? [] : [withText(line, line.text.replace(names, others.join(',')))]
  })
  return [...kept, ...[...missing].map((key) => appendedLine(kept, `${name} ${key}`))]
}

function revoked(path: string, name: string): Problem {
  return new Problem(`${path} marks a wanted key of ${name} as @revoked`, {
    next: 'See why it was revoked. If it is valid, remove that line on the host.',
  })
}

function isNamed(names: string, name: string): boolean {
  return names.split(',').some((one) => one === name || isHashOf(one, name))
}

/** `|1|salt|hash`: a name that ssh has hashed. */
function isHashOf(hashed: string, name: string): boolean {
  const [, version, salt, hash] = hashed.split('|')
  if (version !== '1' || salt === undefined) return false
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
}

function checkedName(server: string, port: number, path: AbsolutePath): string {
  checkPath(`knownHosts ${server}`, path)
  if (!/^[\w.:-]+$/.test(server)) throw new TypeError(`knownHosts: "${server}" is not a name or an address`)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new TypeError(`knownHosts ${server}: ${port} is not a port`)
  return port === 22 ? server.toLowerCase() : `[${server.toLowerCase()}]:${port}`
}

/** Type and base64 without a comment. */
function checkedKey(server: string, key: string): string {
  const [type = '', blob = ''] = key.trim().split(/\s+/)
  const bytes = Buffer.from(blob, 'base64')
  const length = bytes.length > 4 ? bytes.readUInt32BE(0) : 0
  if (/[\n\0]/.test(key.trim()) || bytes.toString('utf8', 4, 4 + length) !== type || bytes.length <= 4 + length)
    throw new TypeError(`knownHosts ${server}: ${JSON.stringify(key)} is not a key such as ssh-ed25519 AAAA…`)
  return `${type} ${blob}`
}
