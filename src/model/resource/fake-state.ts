import type { Facts } from './facts.ts'

/** The state of a fake host in memory, for tests. Kinds of resources read and change it; nothing is executed. */
export interface FakeState {
  readonly facts: Facts
  /** By absolute path, without a slash at its end. */
  readonly paths: Map<string, FakePath>
  /** Names of the packages that are installed, without architectures. */
  readonly packages: Set<string>
  /** Units of systemd by their whole names: `nginx.service`. */
  readonly units: Map<string, { readonly active: boolean; readonly enabled: boolean; readonly masked?: boolean }>
  readonly users: Map<string, FakeUser>
  /** Members of groups, by the group's name. */
  readonly groups: Map<string, readonly string[]>
  /** Numbers of groups that have one, by the group's name. */
  readonly gids: Map<string, string>
  /** Groups of update-alternatives, by name. */
  readonly alternatives: Map<
    string,
    { readonly isAutomatic: boolean; readonly path: string | undefined; readonly paths: readonly string[] }
  >
  /** The default locale, and those that are generated. */
  readonly locales: { lang: string | undefined; all: readonly string[] }
  /** File systems by mount point. */
  readonly mounts: Map<string, { readonly source: string; readonly type: string; readonly options: string }>
  /** Modules of the kernel that are loaded. */
  readonly modules: Set<string>
  /** Values of the running kernel, by key. */
  readonly sysctls: Map<string, string>
  /** Other values, by names that kinds choose: `version of nginx`. */
  readonly values: Map<string, string>
  /** Answers a script that reads the host. */
  readonly answer: (script: string, as?: string) => Answer
  /** Makes this script end with status 0 from now on. */
  readonly holds: (script: string) => void
  /** The state of another fake host. @throws Problem if the test has no fake host of that name */
  readonly other: (host: string) => FakeState
}

/** A user of a fake host. */
export interface FakeUser {
  /** The name of its primary group. */
  readonly group: string
  readonly home: string
  readonly shell: string
  readonly uid?: string
  readonly comment?: string
  /** The SHA-256 of the password hash. */
  readonly password?: string
  readonly locked?: boolean
  /** Days since 1970. */
  readonly expires?: number | undefined
}

/** The entry at a path. */
export interface FakePath {
  readonly type: 'file' | 'directory' | 'link'
  readonly owner: string
  readonly group: string
  /** Four octal digits. */
  readonly mode: string
  /** The content of a file. */
  readonly content?: Buffer
  /** True if the content must not be shown. @default false */
  readonly secret?: boolean
  /** The target of a link. */
  readonly target?: string
  /** The time of its last change, in seconds. Only releases use it. @default 0 */
  readonly time?: number
}

/** Adds an entry at a path, and the directories above it. */
export function putPath({ paths }: FakeState, path: string, entry: FakePath): void {
  for (let at = above(path); at !== '' && !paths.has(at); at = above(at)) paths.set(at, DIRECTORY)
  paths.set(path, entry)
}

/** Removes a path and everything below it. */
export function removePath({ paths }: FakeState, path: string): void {
  for (const one of [...paths.keys()]) if (one === path || one.startsWith(`${path}/`)) paths.delete(one)
}

/** Resolves a path through links; returns the path itself if they lead nowhere. */
export function resolvePath({ paths }: FakeState, path: string): string {
  let at = path
  for (let hops = 0; hops < 40; hops++) {
    const target = paths.get(at)?.target
    if (target === undefined) return paths.has(at) ? at : path
    at = target.startsWith('/') ? target : `${above(at)}/${target}`
  }
  return path
}

const DIRECTORY: FakePath = { type: 'directory', owner: 'root', group: 'root', mode: '0755' }

function above(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

/** The answer of a host to one script. */
export interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly bytes: Buffer
}
