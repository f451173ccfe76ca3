import { Problem } from '../../model/problem.ts'
import { compare, type Diff } from '../../model/resource/diff.ts'
import { type FakeState, putPath } from '../../model/resource/fake-state.ts'
import { batchRead, mapRead, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { joinLines, type Shell, sh } from '../../shell/sh.ts'
import { checkPath } from '../arguments.ts'
import { directoryOf, ensureDirectory, stagingPath } from '../files/staging.ts'
import type { AbsolutePath } from '../files/stat.ts'
import { decoded, entriesIn, type FstabEntry, withEntry } from './fstab.ts'
import { fstabLines, keepFstab, undoFstab, writeFstab } from './mount.ts'

/** A device, or the UUID or label of one. */
type Device = `/dev/${string}` | `UUID=${string}` | `LABEL=${string}` | `PARTUUID=${string}`

/** Options of {@link swap}. */
export interface SwapOptions extends StepOptions {
  /** The size of a swap file: `512M`, `2G`. Required for a file, and not allowed for a device. */
  readonly size?: `${number}M` | `${number}G`
  /** Swap of a higher priority is used first: 0 to 32767. @default the kernel decides */
  readonly priority?: number
}

/**
 * Swap in a file or on a device, now and after a boot: the swap area itself, its line in `/etc/fstab`, and its use by the kernel. A swap is
 * identified by its source, so several do not replace each other. A file is written in full, since the kernel rejects one with holes. A device
 * that holds anything else is rejected.
 *
 * A container has no swap of its own: leave the step out there, `!facts.container && swap(…)`.
 *
 * @param source the path of a file, or a device
 * @throws TypeError for an invalid source, size or priority
 * @throws Problem (on the host) in a container, and for a device that holds a file system
 * @example swap('/swapfile', { size: '2G' })
 * @example swap('UUID=0a3407de-014b-458b-b5c1-848e92a327a3', { priority: 10 })
 */
export function swap(source: AbsolutePath | Device, { size, priority, ...options }: SwapOptions = {}): Step {
  const path = checkSource('swap', source)
  const isFile = path !== undefined && !path.startsWith('/dev/')
  if (isFile && size === undefined) throw new TypeError(`swap ${source}: a file needs a size, such as 2G`)
  if (!isFile && size !== undefined) throw new TypeError(`swap ${source}: a device has the size that it has`)
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= 32_767))
    throw new TypeError(`swap ${source}: the priority is a whole number from 0 to 32767`)
  const own = { source, size: size === undefined ? undefined : mebibytes(source, size), priority }
  return swapStep(own, { timeout: '1h', ...options })
}

/** No swap of this source, neither now nor after a boot. A swap file is removed; the content of a device stays. */
swap.absent = (source: AbsolutePath | Device, options: StepOptions = {}): Step => {
  checkSource('swap.absent', source)
  return absentStep({ source }, options)
}

/** @returns undefined for a UUID or a label */
function checkSource(what: string, source: string): string | undefined {
  if (/^(?:UUID|LABEL|PARTUUID)=\S+$/.test(source)) return undefined
  checkPath(`${what} ${source}`, source)
  return source
}

function mebibytes(source: string, size: string): number {
  const [, number, unit] = /^([1-9]\d*)([MG])$/.exec(size) ?? []
  if (number === undefined) throw new TypeError(`swap ${source}: "${size}" is not a size such as 512M or 2G`)
  return Number(number) * (unit === 'G' ? 1024 : 1)
}

interface SwapParams {
  readonly source: string
  /** MiB of a file; undefined for a device. */
  readonly size: number | undefined
  readonly priority: number | undefined
}

interface SwapArea {
  /** The path of the file or device; empty if the host does not have it. */
  readonly path: string
  /** MiB of a file. */
  readonly size: number | undefined
  /** The content, as blkid names it: `swap`, `ext4`, and `gpt` for partitions; empty for none. */
  readonly content: string
  /** The priority of a swap in use; undefined if the kernel does not use it. */
  readonly priority: number | undefined
}

interface SwapState {
  readonly fstab: readonly string[]
  readonly area: SwapArea
  readonly isContainer: boolean
}

const areaOf = batchRead<string, Omit<SwapState, 'fstab'>>({
  name: 'swaps',
  dependsOn: (source) => [source, `/proc/swaps/${source}`],
  shared: true,
  script: (sources) => sh`[ ! -e /run/systemd/container ] || echo container
[ ! -r /proc/swaps ] || while read -r path kind size used priority; do printf 'used:%s:%s\n' "$priority" "$path"; done </proc/swaps
${joinLines(sources.map(question))}`,
  parse: ({ stdout }, sources) => {
    const lines = stdout.split('\n')
    const used = new Map(
      lines.flatMap((line) => {
        const [, priority, path] = /^used:(-?\d+):(.*)$/.exec(line) ?? []
        return path === undefined ? [] : [[decoded(path), Number(priority)] as const]
      }),
    )
    const areas = lines.flatMap((line) => {
      const [, size = '', content = '', path = ''] = /^area:(\d*):([^:]*):(.*)$/.exec(line) ?? []
      return line.startsWith('area:') ? [{ size, content, path }] : []
    })
    return sources.map((_source, i) => {
      const { size = '', content = '', path = '' } = areas[i] ?? {}
      const area = { path, size: size === '' ? undefined : Number(size) / 1024 ** 2, content, priority: used.get(path) }
      return { area, isContainer: lines.includes('container') }
    })
  },
  fakeValue: ({ paths, values, facts }, source) => {
    const [size, priority] = (values.get(`swap ${source}`) ?? '').split(' ')
    const isFile = size !== undefined && size !== ''
    const own = {
      path: source,
      size: isFile ? Number(size) : undefined,
      content: paths.has(source) || isFile ? 'swap' : '',
    }
    return {
      area: { ...own, priority: priority === undefined ? undefined : Number(priority) },
      isContainer: facts.container,
    }
  },
})

/** Prints size, content and resolved path of a source. blkid ends with 2 if it finds nothing, and with 8 if it finds several things. */
function question(source: string): Shell {
  const [, tag, value = ''] = /^(UUID|LABEL|PARTUUID)=(.*)$/.exec(source) ?? []
  const path = tag === undefined ? source : `/dev/disk/by-${tag.toLowerCase()}/${value}`
  return sh`path=$(readlink -e ${path}) || path=
nl='
' content= size=
if [ "$path" ]; then
  content=$(blkid -p -o value -s TYPE -s PTTYPE "$path" 2>/dev/null)
  case $? in 0|2) ;; *) content='unknown data' ;; esac
  [ ! -f "$path" ] || size=$(stat -c %s "$path")
fi
printf 'area:%s:%s:%s\n' "$size" "\${content%%"$nl"*}" "$path"`
}

const swapStep = resource<SwapParams, SwapState>('swap', {
  id: ({ source }) => source,
  sets: ({ source }) => [{ type: 'path', name: source }],
  read: ({ source }) =>
    mapRead(readBoth(fstabLines(undefined), areaOf(source)), ([fstab, state]) => ({ fstab, ...state })),
  diff: (params, { fstab, area, isContainer }): Diff | undefined => {
    const { source, size, priority } = params
    const kept = entriesIn(fstab).filter((entry) => fits(entry, source))
    const line = kept.length > 1 ? 'several lines' : kept[0] && describe(kept[0])
    const found = compare(
      { fstab: describe(entryOf(params)), used: 'yes', size: sizeText(size), priority },
      {
        fstab: line,
        used: area.priority === undefined ? 'no' : 'yes',
        size: sizeText(size === undefined ? undefined : (area.size ?? 0)),
        priority: area.priority === undefined ? priority : area.priority,
      },
    )
    if (!found) return undefined
    const isNew = line === undefined && area.priority === undefined
    const problem = problemOf(params, area, isContainer)
    if (problem) throw problem
    return { ...found, action: isNew ? 'create' : 'change' }
  },
  apply: (params, { fstab, area }) => {
    const { source, size, priority } = params
    const lines = withEntry(fstab, (entry) => fits(entry, source), entryOf(params))
    const isReady = area.content === 'swap' && (size === undefined || area.size === size)
    const isRight = isReady && area.priority !== undefined && (priority === undefined || area.priority === priority)
    const make = size === undefined ? sh`mkswap ${area.path}` : makeFile(source, size, area)
    const off = area.priority === undefined ? sh`:` : sh`swapoff ${area.path}`
    const use = isRight
      ? sh`:`
      : sh`{ ${isReady ? off : make} && swapon ${priority === undefined ? [] : ['-p', priority]} ${size === undefined ? area.path : source}; }`
    return [
      {
        script: sh`${writeFstab(lines)} || exit
${use} || { ${undoFstab()}; exit 1; }
${keepFstab()}`,
        explain,
      },
    ]
  },
  simulate: ({ source, size, priority }, host) => {
    host.values.set(`swap ${source}`, `${size ?? ''} ${priority ?? -2}`)
    changeFstab(host, source, entryOf({ source, size, priority }))
    if (size !== undefined) putPath(host, source, { type: 'file', owner: 'root', group: 'root', mode: '0600' })
  },
})

function entryOf({ source, priority }: SwapParams): FstabEntry {
  const options = priority === undefined ? 'sw' : `sw,pri=${priority}`
  return { source, target: 'none', type: 'swap', options, pass: 0 }
}

function fits(entry: FstabEntry, source: string): boolean {
  return entry.type === 'swap' && entry.source === source
}

function describe({ type, options }: FstabEntry): string {
  return `${type} ${options}`
}

function sizeText(size: number | undefined): string | undefined {
  return size === undefined ? undefined : `${size} MiB`
}

function problemOf(
  { source, size }: SwapParams,
  { path, content, size: found = 0 }: SwapArea,
  isContainer: boolean,
): Problem | undefined {
  if (isContainer)
    return new Problem(`The host is a container, so ${source} cannot be its swap`, {
      next: 'Leave the step out in containers (facts.container), and set the swap of the machine below.',
    })
  if (size === undefined && path === '') return new Problem(`The host has no device ${source}`)
  if (content === 'swap' || (content === '' && (size === undefined || found === 0))) return undefined
  const erase = size === undefined ? `wipefs -a ${path}` : `rm ${path}`
  return new Problem(`${source} holds ${content || 'data'}, so it is not made a swap`, {
    next: `If it is not needed, remove it on the host: ${erase}. Nothing was changed.`,
  })
}

/** Makes the file beside, so that the old swap is in use until the new one is complete. On btrfs its blocks must not be copied on write. */
function makeFile(path: string, size: number, { priority }: SwapArea): Shell {
  const at = stagingPath(path)
  const off = priority === undefined ? sh`:` : sh`swapoff ${path}`
  return sh`${ensureDirectory(directoryOf(path))} && (umask 077; : >${at}) && { chattr +C ${at} 2>/dev/null || :; } &&
{ dd if=/dev/zero of=${at} bs=1M count=${size} conv=fsync status=none && mkswap -q ${at} && ${off} && mv -fT ${at} ${path} || { rm -f ${at}; false; }; }`
}

function explain(stderr: string) {
  if (!/swapoff failed: Cannot allocate memory/.test(stderr)) return undefined
  return {
    what: 'the memory of the host cannot hold what is in the swap',
    next: 'Stop programs first, or add another swap in a step before this one.',
  }
}

const absentStep = resource<{ readonly source: string }, SwapState>('swap', {
  id: ({ source }) => source,
  sets: ({ source }) => [{ type: 'path', name: source }],
  read: ({ source }) =>
    mapRead(readBoth(fstabLines(undefined), areaOf(source)), ([fstab, state]) => ({ fstab, ...state })),
  diff: ({ source }, { fstab, area }): Diff | undefined => {
    const kept = entriesIn(fstab).find((entry) => fits(entry, source))
    const fields = [
      ...(area.priority === undefined ? [] : [{ name: 'used', from: 'yes', to: 'no' }]),
      ...(kept ? [{ name: 'fstab', from: describe(kept), to: 'absent' }] : []),
      ...(isOwnFile(area) ? [{ name: 'file', from: sizeText(area.size) ?? '', to: 'absent' }] : []),
    ]
    return fields.length === 0 ? undefined : { action: 'remove', fields }
  },
  apply: ({ source }, { fstab, area }) => {
    const lines = withEntry(fstab, (entry) => fits(entry, source), undefined)
    return [
      ...(area.priority === undefined ? [] : [{ script: sh`swapoff ${area.path}`, explain }]),
      ...(lines.length === fstab.length ? [] : [sh`${writeFstab(lines)} && ${keepFstab()}`]),
      ...(isOwnFile(area) ? [sh`rm -f -- ${area.path}`] : []),
    ]
  },
  simulate: ({ source }, host) => {
    host.values.delete(`swap ${source}`)
    host.paths.delete(source)
    changeFstab(host, source, undefined)
  },
})

/** A file with anything else in it is not removed. */
function isOwnFile({ size, content }: SwapArea): boolean {
  return size !== undefined && content === 'swap'
}

function changeFstab(host: FakeState, source: string, wanted: FstabEntry | undefined): void {
  const before = (host.paths.get('/etc/fstab')?.content?.toString() ?? '').split('\n').slice(0, -1)
  const lines = withEntry(before, (entry) => fits(entry, source), wanted)
  const content = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  putPath(host, '/etc/fstab', { type: 'file', owner: 'root', group: 'root', mode: '0644', content })
}
