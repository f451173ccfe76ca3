import { Problem } from '../../model/problem.ts'
import { compare } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { batchRead, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { checkPath, LONGEST_NAME } from '../arguments.ts'
import { LocalFile } from '../files/content.ts'
import { directoryOf, ensureDirectory, moveToRemoved } from '../files/staging.ts'
import { type AbsolutePath, type Entry, entryAt, wrongType } from '../files/stat.ts'
import { checkSum } from './download.ts'

/** The options of `unpack`. */
export interface UnpackOptions extends StepOptions {
  /** The SHA-256 of the archive, 64 hexadecimal digits. @default that of a local file; required for a path of the host */
  readonly sha256?: string
  /** The number of leading directories to remove from the names in the archive. For a zip archive 0 or 1. @default 0 */
  readonly strip?: number
  /** The owner of all files. @default 'root' */
  readonly owner?: string
  /** @default the owner's name */
  readonly group?: string
}

/**
 * A directory with the contents of an archive: tar, also compressed, or zip. It is unpacked beside and renamed, so it is always complete. A
 * file in it records the checksum of the archive: later changes of other files in it are not detected. When the archive changes, the former
 * directory is moved to `/var/lib/provision/removed`. A directory with other contents is not replaced.
 *
 * @param archive a file of this machine, or a path of the host: see `download`
 * @throws TypeError for an invalid path or checksum
 * @example
 * unpack('/opt/tool', '/var/cache/tool-1.2.tar.gz', {
 *   sha256: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
 *   strip: 1,
 * })
 */
export function unpack(
  path: AbsolutePath,
  archive: AbsolutePath | LocalFile,
  { sha256, strip = 0, owner = 'root', group = owner, ...options }: UnpackOptions,
): Step {
  const what = `unpack ${path}`
  checkPath(what, path, { longest: LONGEST_NAME - INCOMING.length })
  if (sha256 !== undefined) checkSum(what, sha256)
  if (!(archive instanceof LocalFile)) {
    checkPath(`${what}: archive`, archive)
    if (sha256 === undefined) throw new TypeError(`${what}: give the sha256 of ${archive}`)
  }
  if (!Number.isInteger(strip) || strip < 0) throw new TypeError(`${what}: strip should be a whole number ≥ 0`)
  return unpackStep({ path, archive, sha256: sha256?.toLowerCase(), strip, owner, group }, options)
}

const INCOMING = '.incoming'
/** In the directory: the checksum of its archive and all that decides how it is unpacked. */
const MARK = '.provision-unpacked'

interface UnpackParams {
  readonly path: string
  readonly archive: AbsolutePath | LocalFile
  readonly sha256: string | undefined
  readonly strip: number
  readonly owner: string
  readonly group: string
}

/** Undefined if the directory has no mark. Starts no process. */
const unpackedAt = batchRead<string, string | undefined>({
  name: 'unpacked archives',
  dependsOn: (path) => [path],
  shared: true,
  script: (paths) => sh`for path in ${paths}; do
  mark=; [ ! -e "$path/"${MARK} ] || read -r mark <"$path/"${MARK}
  printf '%s\n' "$mark"
done`,
  parse: ({ stdout }, paths) => paths.map((_path, i) => stdout.split('\n')[i] || undefined),
  fakeValue: ({ values }, path) => values.get(`archive of ${path}`),
})

const unpackStep = resource<UnpackParams, readonly [Entry | undefined, string | undefined]>('unpacked archive', {
  id: ({ path }) => path,
  sets: ({ path }) => [{ type: 'path', name: path, below: true }],
  affects: 'itself',
  prepare: async ({ archive }) => {
    if (archive instanceof LocalFile) await archive.hash()
  },
  read: ({ path }) => readBoth(entryAt({ path }), unpackedAt(path)),
  diff: (params, [entry, mark]) => {
    const { path } = params
    if (entry && entry.type !== 'directory') throw wrongType(path, entry, 'a directory')
    const own = params.archive instanceof LocalFile ? params.archive.sha256 : undefined
    if (own !== undefined && params.sha256 !== undefined && own !== params.sha256)
      throw new Problem(`the archive has another content: its SHA-256 is ${own}`, { next: 'Correct one of the two.' })
    const [sum, ...how] = (mark ?? '').split(' ')
    if (entry && mark === undefined)
      return {
        action: 'change',
        fields: [],
        problem: new Problem(`${path} was not unpacked from an archive`, {
          next: `Move it away on the host, or add a step before this one: absent('${path}').`,
        }),
      }
    const [wanted, ...wantedHow] = markOf(params).split(' ')
    const found = compare(
      { archive: wanted?.slice(0, 12), unpacked: wantedHow.join(' ') },
      entry && { archive: sum?.slice(0, 12), unpacked: how.join(' ') },
    )
    return found && { ...found, fields: found.fields.filter(({ name }) => name === 'archive' || entry) }
  },
  apply: (params, [entry]) => {
    const { path, archive } = params
    const replace = entry ? sh`(${moveToRemoved(path)})` : sh`:`
    const at = `${path}${INCOMING}`
    const from = archive instanceof LocalFile ? `${path}${INCOMING}.archive` : archive
    const clean = archive instanceof LocalFile ? sh`rm -rf -- ${at} ${from}` : sh`rm -rf -- ${at}`
    const receive = archive instanceof LocalFile ? sh`cat >${from}` : verify(from, params.sha256 ?? '')
    return [
      {
        script: sh`umask 022; { ${ensureDirectory(directoryOf(path))} && rm -rf -- ${at} && mkdir ${at} && ${receive} && ${extract(params, from, at)} &&
printf '%s\n' ${markOf(params)} >${`${at}/${MARK}`} && chown -hR ${`${params.owner}:${params.group}`} ${at} && sync ${at} && ${replace} && mv -T -- ${at} ${path}; }
code=$?; ${clean}; exit $code`,
        ...(archive instanceof LocalFile && { input: archive }),
        reportsProgress: true,
        timeout: '30m',
        explain: (stderr) => explainUnpack(stderr, from),
      },
    ]
  },
  simulate: (params, host) => {
    const { path, owner, group } = params
    putPath(host, path, { type: 'directory', owner, group, mode: '0755' })
    host.values.set(`archive of ${path}`, markOf(params))
  },
})

function markOf({ archive, sha256, strip, owner, group }: UnpackParams): string {
  const sum = sha256 ?? (archive instanceof LocalFile ? archive.sha256 : undefined) ?? 'unknown'
  return `${sum} strip=${strip} ${owner}:${group}`
}

function verify(archive: string, sha256: string): Shell {
  return sh`{ sum=$(sha256sum <${archive}) && sum=\${sum%% *} && { [ "$sum" = ${sha256} ] || { echo "the checksum is $sum" >&2; false; }; }; }`
}

/** `PK` begins a zip archive. */
function extract({ strip }: UnpackParams, from: string, at: string): Shell {
  const inner = `${at}/.provision-zip`
  const flat = sh`{ unzip -q ${from} -d ${inner} && set -- ${inner}/* && [ $# = 1 ] && [ -d "$1" ] && find "$1" -mindepth 1 -maxdepth 1 -exec mv -t ${at} -- {} + && rm -rf ${inner}; }`
  const zip =
    strip === 0
      ? sh`unzip -q ${from} -d ${at}`
      : strip === 1
        ? flat
        : sh`{ echo 'strip is 0 or 1 for zip' >&2; false; }`
  return sh`magic=$(head -c 2 ${from}) && if [ "$magic" = PK ]; then ${zip}; else tar -xf ${from} --no-same-owner --no-same-permissions --strip-components=${strip} -C ${at}; fi`
}

function explainUnpack(stderr: string, archive: string) {
  const [, sum] = /^the checksum is ([0-9a-f]{64})$/m.exec(stderr) ?? []
  if (sum !== undefined)
    return {
      what: `${archive} has another content: its SHA-256 is ${sum}`,
      next: 'Correct the checksum, or download the archive again. The directory was not changed.',
    }
  const [, program] = /\b(unzip|xz|zstd|bzip2|lzip)\b.*(?:not found|Cannot exec)/.exec(stderr) ?? []
  if (program !== undefined)
    return {
      what: `the host has no ${program}`,
      next: `Add a step before this one: pkg('${program === 'xz' ? 'xz-utils' : program}').`,
    }
  return undefined
}
