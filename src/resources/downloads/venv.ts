import { Problem } from '../../model/problem.ts'
import type { Diff, FieldChange } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { batchRead, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { checkPath, LONGEST_NAME } from '../arguments.ts'
import { bytesOf, hashOf, LocalFile } from '../files/content.ts'
import { directoryOf, ensureDirectory } from '../files/staging.ts'
import { type AbsolutePath, type Entry, entryAt, wrongType } from '../files/stat.ts'
import { isAccountReference } from '../system/account-reads.ts'

/** The options of `venv`. */
export interface VenvOptions extends StepOptions {
  /** The requirements file of pip, with exact versions: as text, or a file of this machine. */
  readonly requirements: string | LocalFile
  /** The user that pip runs as, and that owns the files. @default 'root' */
  readonly owner?: string
  /** The Python that it is made with. @default '/usr/bin/python3' */
  readonly python?: AbsolutePath
}

/**
 * A virtual environment of Python with the packages of a requirements file. It is made again if the file or the Python of the host changes,
 * since an upgrade of the host may replace the interpreter; a failure keeps the former one. Later changes inside it are not detected.
 * The packages python3 and python3-venv must be installed.
 *
 * @param path its programs keep this path, so it cannot be moved
 * @throws TypeError for an invalid path or owner
 * @throws Problem (on the host) for a directory that this step has not made
 * @example
 * venv('/opt/report/venv', { requirements: 'jinja2==3.1.6\n', owner: 'report', notify: restarted('report') })
 */
export function venv(
  path: AbsolutePath,
  { requirements, owner = 'root', python = '/usr/bin/python3', ...options }: VenvOptions,
): Step {
  checkPath(`venv ${path}`, path, { longest: LONGEST_NAME - FORMER.length })
  checkPath(`venv ${path}: python`, python)
  if (!isAccountReference(owner)) throw new TypeError(`venv ${path}: "${owner}" is not the name of a user`)
  return venvStep({ path, requirements, owner, python }, options)
}

const FORMER = '.provision-old'
/** In the directory: its origin, and the interpreter that its link led to. */
const MARK = '.provision-venv'
/** In the directory until it is complete. */
const UNFINISHED = '.provision-unfinished'

interface VenvParams {
  readonly path: string
  readonly requirements: string | LocalFile
  readonly owner: string
  readonly python: string
}

interface VenvState {
  /** Its origin: requirements, owner and Python. Undefined if this step has not made it. */
  readonly mark: string | undefined
  readonly isUnfinished: boolean
  /** False if the Python that it was made with is gone. */
  readonly hasPython: boolean
}

/** Starts no process. */
const venvAt = batchRead<string, VenvState>({
  name: 'environments of Python',
  dependsOn: (path) => [path, '/usr/bin'],
  shared: true,
  script: (paths) => sh`for path in ${paths}; do
  mark= python= unfinished= there=
  [ ! -e "$path/"${MARK} ] || { read -r mark; read -r python; } <"$path/"${MARK}
  [ ! -e "$path/"${UNFINISHED} ] || unfinished=yes
  [ ! "$path/bin/python" -ef "$python" ] || there=yes
  printf '%s|%s|%s\n' "$mark" "$unfinished" "$there"
done`,
  parse: ({ stdout }, paths) => {
    const lines = stdout.split('\n')
    return paths.map((_path, i) => {
      const [mark, unfinished, there] = (lines[i] ?? '').split('|')
      return { mark: mark || undefined, isUnfinished: unfinished === 'yes', hasPython: there === 'yes' }
    })
  },
  fakeValue: ({ values }, path) => ({ mark: values.get(`venv of ${path}`), isUnfinished: false, hasPython: true }),
})

const venvStep = resource<VenvParams, readonly [Entry | undefined, VenvState]>('python environment', {
  id: ({ path }) => path,
  sets: ({ path }) => [{ type: 'path', name: path, below: true }],
  affects: 'itself',
  prepare: async ({ requirements }) => {
    if (requirements instanceof LocalFile) await requirements.hash()
  },
  read: ({ path }) => readBoth(entryAt({ path }), venvAt(path)),
  diff: (params, [entry, { mark, isUnfinished, hasPython }]): Diff | undefined => {
    const { path } = params
    if (entry && entry.type !== 'directory') throw wrongType(path, entry, 'a directory')
    if (entry && mark === undefined && !isUnfinished)
      throw new Problem(`${path} is not an environment that venv has made`, {
        next: `Move it away on the host, or add a step before this one: absent('${path}').`,
      })
    const isThere = entry !== undefined && mark !== undefined && !isUnfinished
    const [sum, ...how] = (isThere ? mark : '').split(' ')
    const [wanted = '', ...wantedHow] = markOf(params).split(' ')
    const fields: FieldChange[] = []
    if (sum !== wanted)
      fields.push({ name: 'requirements', ...(sum && { from: sum.slice(0, 12) }), to: wanted.slice(0, 12) })
    if (isThere && how.join(' ') !== wantedHow.join(' '))
      fields.push({ name: 'made', from: how.join(' '), to: wantedHow.join(' ') })
    if (isThere && !hasPython) fields.push({ name: 'interpreter', from: 'missing', to: params.python })
    return fields.length === 0 ? undefined : { action: isThere ? 'change' : 'create', fields }
  },
  apply: (params) => {
    const { path, owner, python, requirements } = params
    const former = `${path}${FORMER}`
    return [
      {
        // An earlier run that was killed has left the former one, and an incomplete one in its place.
        script: sh`umask 022; as_owner() { if [ ${owner} = root ]; then "$@"; else runuser -u ${owner} -- "$@"; fi; }
if [ -e ${former} ]; then if [ -e ${`${path}/${UNFINISHED}`} ] || [ ! -e ${path} ]; then rm -rf -- ${path} && mv -T -- ${former} ${path}; else rm -rf -- ${former}; fi; fi
[ ! -e ${`${path}/${UNFINISHED}`} ] || rm -rf -- ${path}
${ensureDirectory(directoryOf(path))} && { [ ! -e ${path} ] || mv -T -- ${path} ${former}; } || exit
if mkdir ${path} && : >${`${path}/${UNFINISHED}`} && cat >${`${path}/requirements.txt`} && chown -R ${owner} ${path} &&
  as_owner ${python} -m venv ${path} && as_owner ${`${path}/bin/python`} -m pip --disable-pip-version-check --no-input --no-cache-dir -q install -r ${`${path}/requirements.txt`} </dev/null &&
  as_owner sh -c ${WRITE_MARK.text} _ ${markOf(params)} ${`${path}/bin/python`} ${`${path}/${MARK}`} && sync ${path}
then rm -f ${`${path}/${UNFINISHED}`}; rm -rf -- ${former}
else code=$?; rm -rf -- ${path}; [ ! -e ${former} ] || mv -T -- ${former} ${path}; exit $code; fi`,
        input: requirements instanceof LocalFile ? requirements : bytesOf(requirements),
        timeout: '30m',
        explain: explainPip,
      },
    ]
  },
  simulate: (params, host) => {
    const { path, owner } = params
    putPath(host, path, { type: 'directory', owner, group: owner, mode: '0755' })
    host.values.set(`venv of ${path}`, markOf(params))
  },
})

/** `_ ORIGIN PYTHON FILE`. It runs as the owner, who can replace the file by a link. */
const WRITE_MARK = sh`{ printf '%s\n' "$1" && readlink -f "$2"; } >"$3"`

function markOf({ requirements, owner, python }: VenvParams): string {
  return `${hashOf(requirements) ?? 'unknown'} owner=${owner} python=${python}`
}

function explainPip(stderr: string) {
  if (/ensurepip is not available|No module named venv/.test(stderr))
    return { what: 'the package python3-venv is not installed', next: "Put pkg('python3-venv') before this step." }
  const [, requirement] = /No matching distribution found for (\S+)/.exec(stderr) ?? []
  if (requirement !== undefined)
    return {
      what: `no index has ${requirement}`,
      next: 'Correct the requirement, or the index in the requirements file. The former environment is in place.',
    }
  return undefined
}
