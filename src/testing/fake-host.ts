import type { Host } from '../model/inventory/host.ts'
import { Problem } from '../model/problem.ts'
import type { Facts } from '../model/resource/facts.ts'
import { exampleFacts, RELEASES } from '../model/resource/facts.ts'
import { type Answer, type FakePath, type FakeState, putPath } from '../model/resource/fake-state.ts'
import { Secret } from '../shell/secret.ts'

/** The initial state of a fake host. Everything else is missing. */
export interface FakeHostOptions {
  /** @default 'host1' */
  readonly name?: string
  /** The name of its group. @default 'test' */
  readonly group?: string
  /** @default '192.0.2.1' */
  readonly address?: string
  /** @default a small host with Debian 13: two cores, 4 GiB, amd64 */
  readonly facts?: Partial<Facts>
  /** Contents by absolute path, owned by root with the mode 0644 by default; null for a directory. */
  readonly files?: Readonly<Record<string, string | GivenFile | null>>
  /** Names of installed packages. */
  readonly packages?: readonly string[]
  /** Systemd units by name; a name without a suffix is a service. */
  readonly services?: Readonly<Record<string, 'running' | 'stopped'>>
  /** Names of users, each with a group of the same name. */
  readonly users?: readonly string[]
  /** Current kernel settings. */
  readonly sysctls?: Readonly<Record<string, string | number>>
  /**
   * Answers scripts that read the host: `unless` of a command, the read of a custom kind. A string is the output with exit status 0.
   * @default undefined for every script, which is exit status 1 without output, as on a new host
   */
  readonly answers?: (script: string, as: string | undefined) => string | Partial<Answer> | undefined
  /** Other hosts that the role asks (`askHost`) and delegates steps to (`delegateTo`). */
  readonly others?: readonly FakeHost[]
}

/** An initial file of a fake host. */
export interface GivenFile {
  readonly text: string
  /** @default 'root' */
  readonly owner?: string
  /** @default the owner's name */
  readonly group?: string
  /** Four octal digits. @default '0644' */
  readonly mode?: string
}

/** A path of a fake host. */
export interface FakeFile {
  readonly type: 'file' | 'directory' | 'link'
  /** The text of a file; undefined for a secret and for other types. */
  readonly text: string | undefined
  /** The content of a file with a secret, for `reveal()`. */
  readonly secret: Secret | undefined
  readonly owner: string
  readonly group: string
  readonly mode: string
  /** The target of a link. */
  readonly target: string | undefined
}

/** A host in memory, created by {@link fakeHost}. */
export class FakeHost {
  readonly name: string
  /** The host as roles see it in their context. */
  readonly host: Host
  readonly state: FakeState

  constructor({ name = 'host1', group = 'test', address = '192.0.2.1', ...options }: FakeHostOptions = {}) {
    this.name = name
    this.host = Object.freeze({ name, group, address })
    this.state = fakeState(this, options)
  }

  /** The current paths. */
  get files(): Readonly<Record<string, FakeFile>> {
    return Object.fromEntries([...this.state.paths].map(([path, entry]) => [path, shown(entry)]))
  }
}

/**
 * Creates a host in memory for {@link converge}. It runs nothing: each kind reads and changes this state.
 *
 * @throws Problem for a path that is not absolute
 * @example
 * const host = fakeHost({ facts: { cpus: 8 }, files: { '/etc/motd': 'old\n' }, packages: ['nginx'] })
 */
export function fakeHost(options: FakeHostOptions = {}): FakeHost {
  return new FakeHost(options)
}

function fakeState(own: FakeHost, options: Omit<FakeHostOptions, 'name' | 'group' | 'address'>): FakeState {
  const {
    facts = {},
    files = {},
    packages = [],
    services = {},
    users = [],
    sysctls = {},
    answers,
    others = [],
  } = options
  const known = new Set<string>()
  const state: FakeState = {
    facts: Object.freeze({ ...exampleFacts(own, RELEASES[0]), ...facts }),
    paths: new Map(),
    packages: new Set(packages),
    units: new Map(Object.entries(services).map(([name, state]) => [unitOf(name), unitIn(state)])),
    users: new Map(users.map((name) => [name, { group: name, home: '/nonexistent', shell: NOLOGIN }])),
    groups: new Map(users.map((name) => [name, []])),
    gids: new Map(),
    alternatives: new Map(),
    locales: { lang: undefined, all: [] },
    mounts: new Map(),
    modules: new Set(),
    sysctls: new Map(Object.entries(sysctls).map(([key, value]) => [key, String(value)])),
    values: new Map(),
    answer: (script, as) => answerOf(known.has(script) ? '' : answers?.(script, as)),
    holds: (script) => void known.add(script),
    other: (name) => {
      const found = [own, ...others].find((one) => one.name === name)
      if (!found) throw new Problem(`The test has no fake host ${name}`, { next: OTHERS })
      return found.state
    },
  }
  for (const [path, content] of Object.entries(files)) {
    if (!path.startsWith('/')) throw new Problem(`A fake host takes absolute paths, not ${path}`)
    putPath(state, path, entryOf(content))
  }
  return state
}

const NOLOGIN = '/usr/sbin/nologin'
const OTHERS = "Add it to the host under test: fakeHost({ others: [fakeHost({ name: 'db1' })] })."

function entryOf(content: string | GivenFile | null): FakePath {
  if (content === null) return { type: 'directory', owner: 'root', group: 'root', mode: '0755' }
  const {
    text,
    owner = 'root',
    group = owner,
    mode = '0644',
  } = typeof content === 'string' ? { text: content } : content
  return { type: 'file', owner, group, mode, content: Buffer.from(text) }
}

function answerOf(given: string | Partial<Answer> | undefined): Answer {
  const {
    code,
    stdout = '',
    stderr = '',
  } = given === undefined ? { code: 1 } : typeof given === 'string' ? { stdout: given } : given
  return { code: code ?? 0, stdout, stderr, bytes: Buffer.from(stdout) }
}

function unitOf(name: string): string {
  return name.includes('.') ? name : `${name}.service`
}

function unitIn(state: 'running' | 'stopped') {
  return { active: state === 'running', enabled: state === 'running' }
}

function shown({ type, owner, group, mode, target, content, secret }: FakePath): FakeFile {
  const text = content?.toString()
  return {
    ...{ type, owner, group, mode, target },
    text: secret ? undefined : text,
    secret: secret && text !== undefined ? new Secret(() => text) : undefined,
  }
}
