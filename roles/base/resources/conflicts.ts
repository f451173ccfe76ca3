import { InvalidParams, type Read, read, resource, type Shell, sh } from 'provision-ts'
import { describeListener, isPortTaken, type Listener, listenersIn } from '../lib/listeners.ts'

interface ConflictParams {
  /** The name of the role, for messages. */
  readonly role: string
  /** The main file of the role. A comment in it shows if the role wrote it. */
  readonly config: string
  /** Further files to search, as paths or patterns of the shell. @default none */
  readonly others?: readonly string[]
  /** Lines of all these files that count, as an extended regular expression. */
  readonly lines: string
  /** Files that the role replaces. They are conflicts while the role has not written its main file. @default none */
  readonly files?: readonly string[]
  /** Ports that the role uses. @default none */
  readonly ports?: readonly WantedPort[]
  /** Units that may have these ports, and programs where the host does not tell units. @default none */
  readonly own?: readonly string[]
  /** A script that prints more lines. It runs while the role has not written its main file. */
  readonly more?: Shell
  /** The conflicts that the role itself finds in the answer. @default none */
  readonly judge?: (found: Found) => readonly Conflict[]
}

interface WantedPort {
  /** `*` for all addresses of IPv4. */
  readonly address: string
  readonly port: number
  /** Text that the main file contains if the role already uses the port. Then listeners are not read. */
  readonly configured: string
}

export interface Found {
  /** True if the role wrote the main file in an earlier run. */
  readonly isOurs: boolean
  /** Lines of the files that were searched. */
  readonly lines: readonly { readonly path: string; readonly text: string }[]
  /** Those of `files` that exist, while the role has not written its main file. */
  readonly files: readonly string[]
  /** Lines of the script `more`. */
  readonly more: readonly string[]
  readonly listeners: readonly Listener[]
}

export interface Conflict {
  /** The conflict on the host, and its place. */
  readonly what: string
  /** The action of the user. */
  readonly next: string
}

/** An answer without conflicts. */
const NOTHING: Found = { isOurs: false, lines: [], files: [], more: [], listeners: [] }

/**
 * A step that changes nothing. Before any host changes, it refuses the run if the role would break the present use of the host:
 * configuration that the role did not write, or ports of other programs. It runs one process if the role is already in use.
 */
export const noConflicts = resource<ConflictParams, Found>('conflicts', {
  id: ({ role }) => role,
  affects: 'itself',
  canWaitForPackages: true,
  read: question,
  diff: (params, found) => {
    const conflicts = findConflicts(params, found)
    if (conflicts.length === 0) return undefined
    throw new InvalidParams(`The role ${params.role} conflicts with the present use of this host.`, {
      where: `role ${params.role}`,
      details: conflicts.map(({ what }) => what),
      next: `${[...new Set(conflicts.map(({ next }) => next))].join(' ')} Nothing was changed on any host.`,
    })
  },
  apply: () => [],
})

/** The comment in the files of the roles. */
const MARK = '^(#|//|;) (Made|Written) by provision'

function question({ config, others = [], lines, files = [], ports = [], more = sh`:` }: ConflictParams): Read<Found> {
  const filter = ports.flatMap(({ port }, i) => [...(i === 0 ? [] : ['or']), 'sport', '=', `:${port}`])
  const listening = ports.length === 0 ? sh`:` : sh`[ -z "$asked" ] || ss -Hltnp --cgroup ${filter} || echo 'ss failed'`
  const script = sh`
config=${config} paths=${[config, ...others].join(' ')} asked=
found=$(grep -sHE -e ${MARK} -e ${lines} -- $paths)
printf '%s\n' "$found"
case $found in
  *"$config:# Made by provision"* | *"$config:# Written by provision"*)
    echo ours
    for text in ${ports.map(({ configured }) => configured)}; do
      case $found in *"$config:"*"$text"[!0-9]* | *"$config:"*"$text") ;; *) asked=yes ;; esac
    done ;;
  *)
    asked=yes
    for file in ${files}; do [ ! -f "$file" ] || echo "file $file"; done
    ${more} ;;
esac
${listening}
echo end`
  return read(script, ({ stdout, stderr }) => parseFound(stdout, stderr), {
    shared: true,
    dependsOn: [config, ...files],
    fakeValue: () => NOTHING,
  })
}

/** @throws Error if the answer is incomplete, which must not mean "no conflicts" */
export function parseFound(stdout: string, stderr = ''): Found {
  const all = stdout.split('\n').filter((line) => line !== '')
  const reason = stderr.trim().split('\n').at(-1)
  if (all.at(-1) !== 'end' || all.includes('ss failed'))
    throw new Error(`the host returned an incomplete list of files and ports in use${reason ? ` (${reason})` : ''}`)
  const starting = (word: string) =>
    all.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []))
  return {
    isOurs: all.includes('ours'),
    lines: all.flatMap((line) => {
      const [, path, text] = /^(\/[^:]*):(.*)$/.exec(line) ?? []
      return path === undefined || text === undefined ? [] : [{ path, text }]
    }),
    files: starting('file'),
    more: starting('more'),
    listeners: listenersIn(all),
  }
}

function findConflicts({ ports = [], own = [], judge = () => [] }: ConflictParams, found: Found): readonly Conflict[] {
  const files = found.files.map((path) => ({
    what: `${path} exists, and the role did not write it`,
    next: 'Move these files away.',
  }))
  const taken = ports.flatMap((port) =>
    found.listeners
      .filter((by) => isPortTaken(port, by) && !own.includes(by.unit ?? by.program ?? ''))
      .map((by) => ({
        what: `port ${port.port} is in use: ${describeListener(by)} listens at ${by.address}:${by.port}`,
        next: `Stop the program${by.unit?.endsWith('.service') ? ` (systemctl disable --now ${by.unit})` : ''}, or choose another port.`,
      })),
  )
  const all = [...judge(found), ...files, ...taken]
  return [...new Map(all.map((one) => [one.what, one])).values()]
}
