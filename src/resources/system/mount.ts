import { compare, type Diff } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { batchRead, mapRead, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { joinLines, type Shell, sh } from '../../shell/sh.ts'
import { checkPath } from '../arguments.ts'
import { stagingPath } from '../files/staging.ts'
import type { AbsolutePath } from '../files/stat.ts'
import { decoded, entriesIn, type FstabEntry, withEntry } from './fstab.ts'

/** Options of {@link mount}. */
export interface MountOptions extends StepOptions {
  /** `UUID=…`, `LABEL=…`, a device, `server:/export`, a directory for a bind mount, `tmpfs`. */
  readonly source: string
  /** `ext4`, `nfs`, `tmpfs`; `none` for a bind mount. */
  readonly type: string
  /** @default 'defaults'; a file system of the network gets `nofail` and `_netdev` too, so that the host boots without it */
  readonly options?: readonly string[]
  /** The order of the check at boot: 1 for the root file system, 2 for others, 0 for none. @default 0 */
  readonly pass?: number
}

/**
 * A mounted file system, now and after a boot: its line in `/etc/fstab`, which `findmnt --verify` checks before it is in place, and the
 * mount itself. A missing mount point is created. With other options it is remounted; with another source it is unmounted first.
 *
 * @throws TypeError for an invalid path, source, type or option
 * @example mount('/srv/data', { source: 'UUID=0a3407de-014b-458b-b5c1-848e92a327a3', type: 'ext4', options: ['noatime'], pass: 2 })
 * @example mount('/srv/www', { source: '/srv/data/www', type: 'none', options: ['bind'] })
 */
export function mount(path: AbsolutePath, { source, type, options = [], pass = 0, ...more }: MountOptions): Step {
  checkPath(`mount ${path}`, path, { root: true })
  if (source === '' || /[\n\0]/.test(source))
    throw new TypeError(`mount ${path}: the source is empty or has several lines`)
  if (!/^[\w.-]+$/.test(type)) throw new TypeError(`mount ${path}: "${type}" is not the type of a file system`)
  const wrong = options.find((one) => !/^[^\s,]+$/.test(one))
  if (wrong !== undefined) throw new TypeError(`mount ${path}: "${wrong}" is not one option`)
  if (![0, 1, 2].includes(pass)) throw new TypeError(`mount ${path}: pass is 0, 1 or 2`)
  const all = [...new Set([...options, ...(NETWORK.test(type) ? ['nofail', '_netdev'] : [])])]
  return mountStep({ source, target: path, type, options: all.join(',') || 'defaults', pass }, more)
}

/** No file system at this path, neither now nor after a boot. The mount point stays. */
mount.absent = (path: AbsolutePath, options: StepOptions = {}): Step => {
  checkPath(`mount.absent ${path}`, path)
  return absentStep({ path }, options)
}

const NETWORK = /^(?:nfs4?|cifs|smb3|glusterfs|ceph|fuse\.sshfs)$/

/** A mount of the kernel. */
interface Mounted {
  readonly type: string
  readonly options: readonly string[]
  /** True if it is the wanted source: the same device, or for a bind mount the same directory. */
  readonly isSource: boolean
}

interface MountState {
  readonly fstab: readonly string[]
  readonly mounted: Mounted | undefined
}

type Query = Pick<FstabEntry, 'source' | 'target'>

/** The lines of fstab; one for all mounts and swaps. */
export const fstabLines = batchRead<undefined, readonly string[]>({
  name: 'fstab',
  dependsOn: () => ['/etc/fstab'],
  shared: true,
  script: () =>
    sh`[ ! -r /etc/fstab ] || while IFS= read -r line || [ "$line" ]; do printf '%s\n' "$line"; done </etc/fstab`,
  parse: ({ stdout }, queries) => {
    const lines = stdout.split('\n').slice(0, -1)
    return queries.map(() => lines)
  },
  fakeValue: ({ paths }) => (paths.get('/etc/fstab')?.content?.toString() ?? '').split('\n').slice(0, -1),
})

const mountAt = batchRead<Query, Mounted | undefined>({
  name: 'mounts',
  dependsOn: ({ target }) => [`/proc/self/mountinfo${target}`],
  shared: true,
  script: (queries) => sh`while IFS= read -r line; do printf '%s\n' "$line"; done </proc/self/mountinfo
${joinLines(queries.map(({ source, target }) => sh`found=$(${resolve(source, target)}); printf 'is:%s\n' "$found"`))}`,
  parse: ({ stdout }, queries) => {
    const lines = stdout.split('\n')
    const answers = lines.flatMap((line) => (line.startsWith('is:') ? [line.slice(3)] : []))
    const mounts = lines.flatMap((line) => {
      const [, target, flags, type, source, superFlags = ''] =
        /^\d+ \d+ \S+ \S+ (\S+) (\S+) .*?- (\S+) (\S+) (\S+)$/.exec(line) ?? []
      if (target === undefined || flags === undefined || type === undefined) return []
      const options = [...flags.split(','), ...superFlags.split(',')]
      return [{ target: decoded(target), type, source: decoded(source ?? ''), options }]
    })
    return queries.map(({ source, target }, i): Mounted | undefined => {
      // The last mount at a path hides the others.
      const found = mounts.findLast((one) => one.target === target)
      const answer = answers[i] ?? ''
      const isSource = answer === 'same' || found?.source === source || (answer !== '' && found?.source === answer)
      return found && { type: found.type, options: found.options, isSource }
    })
  },
  fakeValue: ({ mounts }, { source, target }) => {
    const found = mounts.get(target)
    return found && { type: found.type, options: found.options.split(','), isSource: found.source === source }
  },
})

/** Prints the device of a source, or `same` for a directory that is mounted at the target. */
function resolve(source: string, target: string): Shell {
  const [, tag, value = ''] = /^(UUID|LABEL|PARTUUID|PARTLABEL)=(.*)$/.exec(source) ?? []
  if (tag !== undefined) return sh`readlink -f ${`/dev/disk/by-${tag.toLowerCase()}/${value}`}`
  if (source.startsWith('/dev/')) return sh`readlink -f ${source}`
  return source.startsWith('/') ? sh`[ ! ${source} -ef ${target} ] || echo same` : sh`:`
}

const mountStep = resource<FstabEntry, MountState>('mount', {
  id: ({ target }) => target,
  sets: ({ target }) => [{ type: 'path', name: target }],
  read: (entry) => mapRead(readBoth(fstabLines(undefined), mountAt(entry)), ([fstab, mounted]) => ({ fstab, mounted })),
  diff: (wanted, { fstab, mounted }): Diff | undefined => {
    const kept = entriesIn(fstab).filter(({ target }) => target === wanted.target)
    const line = kept.length > 1 ? 'several lines' : kept[0] && describe(kept[0])
    const found = compare(
      { fstab: describe(wanted), mounted: 'yes', source: wanted.source, options: flagsOf(wanted.options).join(',') },
      {
        fstab: line,
        mounted: mounted ? 'yes' : 'no',
        source: !mounted || mounted.isSource ? wanted.source : 'another one',
        options: mounted
          ? flagsOf(wanted.options)
              .map((flag) => (isInForce(flag, mounted.options) ? flag : `not ${flag}`))
              .join(',')
          : flagsOf(wanted.options).join(','),
      },
    )
    return found && { ...found, action: line === undefined && !mounted ? 'create' : 'change' }
  },
  apply: (wanted, { fstab, mounted }) => {
    const lines = withEntry(fstab, ({ target }) => target === wanted.target, wanted)
    const { target } = wanted
    // The target must be there when findmnt checks the file. A mount that fails must not stop the next boot.
    return [
      sh`mkdir -p ${target}
${writeFstab(lines)} || exit
{ ${mountNow(wanted, mounted)}; } || { ${undoFstab()}; exit 1; }
${keepFstab()}`,
    ]
  },
  simulate: (wanted, host) => {
    const before = (host.paths.get('/etc/fstab')?.content?.toString() ?? '').split('\n').slice(0, -1)
    const lines = withEntry(before, ({ target }) => target === wanted.target, wanted)
    putPath(host, '/etc/fstab', { ...FILE, content: Buffer.from(lines.map((line) => `${line}\n`).join('')) })
    host.mounts.set(wanted.target, { source: wanted.source, type: wanted.type, options: wanted.options })
    if (!host.paths.has(wanted.target))
      putPath(host, wanted.target, { type: 'directory', owner: 'root', group: 'root', mode: '0755' })
  },
})

const FILE = { type: 'file', owner: 'root', group: 'root', mode: '0644' } as const

function describe({ source, type, options, pass }: FstabEntry): string {
  return [source, type, options, ...(pass === 0 ? [] : [pass])].join(' ')
}

/** Options that the kernel shows as they are written. Sizes and ids have several spellings, so only fstab is compared. */
const FLAGS = /^(?:ro|rw|nosuid|suid|nodev|dev|noexec|exec|noatime|relatime|nodiratime|sync)$/

function flagsOf(options: string): readonly string[] {
  return options.split(',').filter((one) => FLAGS.test(one))
}

/** The kernel does not show the defaults. */
function isInForce(flag: string, options: readonly string[]): boolean {
  if (['suid', 'dev', 'exec'].includes(flag)) return !options.includes(`no${flag}`)
  return options.includes(flag) && !(flag === 'rw' && options.includes('ro'))
}

/** Mounts the entry of fstab; another source is unmounted first. */
function mountNow({ target, options }: FstabEntry, mounted: Mounted | undefined): Shell {
  if (!mounted) return sh`mount ${target}`
  if (!mounted.isSource) return sh`umount ${target} && mount ${target}`
  const all = options.split(',')
  // A remount keeps restrictions unless they are lifted by name.
  const lifted = ['suid', 'dev', 'exec'].filter((one) => !all.includes(`no${one}`))
  const flags = [...lifted, ...(all.includes('ro') ? [] : ['rw']), ...all.filter((one) => FLAGS.test(one))]
  if (all.some((one) => /^r?bind$/.test(one))) return sh`mount -o ${['remount', 'bind', ...flags].join(',')} ${target}`
  return sh`mount -o ${['remount', ...flags].join(',')} ${target}`
}

const OLD = '/run/provision.fstab'

/** Checks the new file, replaces the old one, and makes systemd read it. */
export function writeFstab(lines: readonly string[]): Shell {
  const at = stagingPath('/etc/fstab')
  return sh`{ rm -f ${OLD}
[ ! -e /etc/fstab ] || { cp -p /etc/fstab ${OLD} && cp -p /etc/fstab ${at}; } && printf %s ${lines.map((line) => `${line}\n`).join('')} >${at} && chmod 0644 ${at} && {
  said=$(findmnt --verify --tab-file ${at} 2>&1)
  ! printf '%s\n' "$said" | grep -qE '(^|[^0-9])[1-9][0-9]* parse error' || { printf '%s\n' "$said" >&2; rm -f ${at}; false; }
} && sync ${at} && mv -fT ${at} /etc/fstab && systemctl daemon-reload; }`
}

export function undoFstab(): Shell {
  return sh`if [ -e ${OLD} ]; then cp -p ${OLD} /etc/.fstab.provision-old && mv -fT /etc/.fstab.provision-old /etc/fstab; else rm -f /etc/fstab; fi; systemctl daemon-reload; ${keepFstab()}`
}

export function keepFstab(): Shell {
  return sh`rm -f ${OLD}`
}

const absentStep = resource<{ readonly path: AbsolutePath }, MountState>('mount', {
  id: ({ path }) => path,
  sets: ({ path }) => [{ type: 'path', name: path }],
  read: ({ path }) =>
    mapRead(readBoth(fstabLines(undefined), mountAt({ source: '', target: path })), ([fstab, mounted]) => ({
      fstab,
      mounted,
    })),
  diff: ({ path }, { fstab, mounted }): Diff | undefined => {
    const kept = entriesIn(fstab).find(({ target }) => target === path)
    const fields = [
      ...(mounted ? [{ name: 'mounted', from: 'yes', to: 'no' }] : []),
      ...(kept ? [{ name: 'fstab', from: describe(kept), to: 'absent' }] : []),
    ]
    return fields.length === 0 ? undefined : { action: 'remove', fields }
  },
  apply: ({ path }, { fstab, mounted }) => {
    const lines = withEntry(fstab, ({ target }) => target === path, undefined)
    return [
      ...(mounted ? [{ script: sh`umount ${path}`, explain: explainBusy }] : []),
      ...(lines.length === fstab.length ? [] : [sh`${writeFstab(lines)} && ${keepFstab()}`]),
    ]
  },
  simulate: ({ path }, host) => {
    host.mounts.delete(path)
    const before = (host.paths.get('/etc/fstab')?.content?.toString() ?? '').split('\n').slice(0, -1)
    const lines = withEntry(before, ({ target }) => target === path, undefined)
    putPath(host, '/etc/fstab', { ...FILE, content: Buffer.from(lines.map((line) => `${line}\n`).join('')) })
  },
})

function explainBusy(stderr: string) {
  if (!/target is busy/.test(stderr)) return undefined
  return {
    what: 'programs use the file system',
    next: 'Stop them in a step before this one; fuser -vm PATH on the host lists them.',
  }
}
