import { exampleFacts, RELEASES } from '../engine/read/without-hosts.ts'
import { Problem } from '../model/problem.ts'
import type { Facts } from '../model/resource/facts.ts'
import type { Answer } from '../model/resource/fake-state.ts'
import { type FakePath, type FakeState, putPath } from '../model/resource/fake-state.ts'
import { Secret } from '../shell/secret.ts'

/** What a test says of a host; of what is left out it has nothing. */
export interface FakeHostOptions {
  /** @default 'host1' */
  readonly name?: string
  /** @default a small host with Debian 13: two cores, 4 GiB, amd64 */
  readonly facts?: Partial<Facts>
  /** Texts by absolute path, which belong to root and have the mode 0644 unless told; null for a directory. */
  readonly files?: Readonly<Record<string, string | GivenFile | null>>
  /** Names of packages that are installed. */
  readonly packages?: readonly string[]
  /** Units of systemd that there are. Without an ending they are services. */
  readonly services?: Readonly<Record<string, 'running' | 'stopped'>>
  /** Names of users, each with a group of its own name. */
  readonly users?: readonly string[]
  /** Values of the running kernel. */
  readonly sysctls?: Readonly<Record<string, string | number>>
  /**
   * What the host says to a script that asks: `unless` of a command, the read of a kind of your own. A string is its output, with exit
   * status 0. @default undefined, for every script: exit status 1 and no word, as where there is nothing yet
   */
  readonly answers?: (script: string, as: string | undefined) => string | Partial<Answer> | undefined
  /** The other hosts whose answers a role asks for, by `after`, and on which it has steps done, by `on`. */
  readonly others?: readonly FakeHost[]
}

/** A file that is on a fake host at the beginning. */
export interface GivenFile {
  readonly text: string
  /** @default 'root' */
  readonly owner?: string
  /** @default the owner's name */
  readonly group?: string
  /** Four octal digits. @default '0644' */
  readonly mode?: string
}

/** What a fake host has at a path. */
export interface FakeFile {
  readonly type: 'file' | 'directory' | 'link'
  /** What a file says. Undefined for what is secret, and for what is no file. */
  readonly text: string | undefined
  /** What a file says that holds a secret: a test has to `reveal()` it. */
  readonly secret: Secret | undefined
  readonly owner: string
  readonly group: string
  readonly mode: string
  /** Where a link points. */
  readonly target: string | undefined
}

/** A host in memory. Made by {@link fakeHost}. */
export class FakeHost {
  readonly name: string
  /** What is on it, as kinds of resources see it. */
  readonly state: FakeState

  constructor({ name = 'host1', ...given }: FakeHostOptions = {}) {
    this.name = name
    this.state = fakeState(this, given)
  }

  /** What it has now, by path. */
  get files(): Readonly<Record<string, FakeFile>> {
    return Object.fromEntries([...this.state.paths].map(([path, entry]) => [path, shown(entry)]))
  }
}

/**
 * Makes up a host for {@link converge}. It runs nothing: each kind of resource answers from what you say here, and changes that.
 *
 * @throws Problem for a path that is not absolute
 * @example
 * const host = fakeHost({ facts: { cpus: 8 }, files: { '/etc/motd': 'old\n' }, packages: ['nginx'] })
 */
export function fakeHost(options: FakeHostOptions = {}): FakeHost {
  return new FakeHost(options)
}

function fakeState(own: FakeHost, given: Omit<FakeHostOptions, 'name'>): FakeState {
  const {
    facts = {},
    files = {},
    packages = [],
    services = {},
    users = [],
    sysctls = {},
    answers,
    others = [],
  } = given
  const known = new Set<string>()
  const sketch: FakeState = {
    facts: Object.freeze({ ...exampleFacts(own, RELEASES[0]), ...facts }),
    paths: new Map(),
    packages: new Set(packages),
    units: new Map(Object.entries(services).map(([name, state]) => [unitOf(name), unitIn(state)])),
    users: new Map(users.map((name) => [name, { group: name, home: '/nonexistent', shell: NOLOGIN }])),
    groups: new Map(users.map((name) => [name, []])),
    sysctls: new Map(Object.entries(sysctls).map(([key, value]) => [key, String(value)])),
    answer: (script, as) => answerOf(known.has(script) ? '' : answers?.(script, as)),
    holds: (script) => void known.add(script),
    other: (name) => {
      const found = [own, ...others].find((one) => one.name === name)
      if (!found) throw new Problem(`The test has made up no host ${name}`, { next: OTHERS })
      return found.state
    },
  }
  for (const [path, content] of Object.entries(files)) {
    if (!path.startsWith('/')) throw new Problem(`A fake host takes absolute paths, not ${path}`)
    putPath(sketch, path, entryOf(content))
  }
  return sketch
}

const NOLOGIN = '/usr/sbin/nologin'
const OTHERS = "Give it to the host whose turn it is: fakeHost({ others: [fakeHost({ name: 'db1' })] })."

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

function answerOf(said: string | Partial<Answer> | undefined): Answer {
  const {
    code,
    stdout = '',
    stderr = '',
  } = said === undefined ? { code: 1 } : typeof said === 'string' ? { stdout: said } : said
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
