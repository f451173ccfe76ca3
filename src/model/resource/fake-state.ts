import type { Facts } from './facts.ts'

/**
 * What is on a host that exists in memory alone, as tests make one up. Kinds of resources answer from it and change it, each what it
 * knows of; nothing is executed.
 */
export interface FakeState {
  readonly facts: Facts
  /** By absolute path, without a slash at its end. */
  readonly paths: Map<string, FakePath>
  /** Names of the packages that are installed, without architectures. */
  readonly packages: Set<string>
  /** Units of systemd by their whole names: `nginx.service`. */
  readonly units: Map<string, { readonly active: boolean; readonly enabled: boolean }>
  /** Users by name, each with the name of its own group. */
  readonly users: Map<string, { readonly group: string; readonly home: string; readonly shell: string }>
  /** Members of groups, by the group's name. */
  readonly groups: Map<string, readonly string[]>
  /** Values of the running kernel, by key. */
  readonly sysctls: Map<string, string>
  /** What a script says, when it is one that asks. */
  readonly answer: (script: string, as?: string) => Answer
  /** From now on this script that asks ends with status 0. */
  readonly holds: (script: string) => void
  /** The sketch of another host. @throws Problem when the test has made up none of that name */
  readonly other: (host: string) => FakeState
}

/** What stands at a path. */
export interface FakePath {
  readonly type: 'file' | 'directory' | 'link'
  readonly owner: string
  readonly group: string
  /** Four octal digits. */
  readonly mode: string
  /** Of a file. */
  readonly content?: Buffer
  /** Whether the content is not to be shown. @default false */
  readonly secret?: boolean
  /** Where a link points. */
  readonly target?: string
  /** When it was changed last, in seconds. Only releases look at it. @default 0 */
  readonly time?: number
}

/** Puts something at a path, with the directories above it. */
export function putPath({ paths }: FakeState, path: string, entry: FakePath): void {
  for (let at = above(path); at !== '' && !paths.has(at); at = above(at)) paths.set(at, DIRECTORY)
  paths.set(path, entry)
}

/** Takes away what is at a path, and below it. */
export function removePath({ paths }: FakeState, path: string): void {
  for (const one of [...paths.keys()]) if (one === path || one.startsWith(`${path}/`)) paths.delete(one)
}

/** What the path leads to in the end, through links; the link itself where they lead nowhere. */
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

/** What a host answered to one script. */
export interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly bytes: Buffer
}
