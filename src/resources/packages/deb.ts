import { Problem } from '../../model/problem.ts'
import type { Diff } from '../../model/resource/diff.ts'
import { batchRead } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { checkPath } from '../arguments.ts'
import type { AbsolutePath } from '../files/stat.ts'
import { install } from './apt.ts'
import { explainAptError } from './apt-errors.ts'

interface PackageFileOptions extends StepOptions {
  /** Allows an older version than the installed one. @default false */
  readonly downgrade?: boolean
}

/**
 * The package of a `.deb` file on the host, in the version of the file, with its dependencies. An earlier step brings the file there:
 * `file` or `download`. Other packages are never removed for it.
 *
 * @throws TypeError for an invalid path
 * @example
 * pkg.file('/var/cache/app_1.2_amd64.deb')
 */
export function packageFile(
  path: AbsolutePath,
  { downgrade = false, timeout = '30m', ...options }: PackageFileOptions = {},
): Step {
  checkPath(`pkg.file ${path}`, path)
  return fileStep({ path, downgrade }, { timeout, ...options })
}

interface FileParams {
  readonly path: string
  readonly downgrade: boolean
}

interface PackageFile {
  readonly name: string
  readonly version: string
  readonly installed: string | undefined
  /** True if the installed version is newer. */
  readonly isOlder: boolean
}

/** Undefined without a file, `unreadable` for a file that is not a package. */
type Found = PackageFile | 'unreadable' | undefined

const packageFileAt = batchRead<string, Found>({
  name: 'package files',
  dependsOn: (path) => [path, '/var/lib/dpkg'],
  shared: true,
  script: (paths) => sh`for path in ${paths}; do
  found=
  if [ -f "$path" ]; then
    found=$(dpkg-deb -W --showformat '\${Package}|\${Version}' "$path" 2>/dev/null) || found=unreadable
    name=\${found%%|*} version=\${found#*|}
    installed=$(dpkg-query -W -f '\${db:Status-Abbrev}|\${Version}' "$name" 2>/dev/null)
    case $installed in ?i?\|*) installed=\${installed#*|} ;; *) installed= ;; esac
    found="$found|$installed"
    [ -z "$installed" ] || ! dpkg --compare-versions "$installed" gt "$version" || found="$found|newer"
  fi
  printf '%s\n' "$found"
done`,
  parse: ({ stdout }, paths) => {
    const lines = stdout.split('\n')
    return paths.map((_path, i): Found => {
      const [name = '', version = '', installed = '', newer] = (lines[i] ?? '').split('|')
      if (name === '') return undefined
      if (name === 'unreadable') return 'unreadable'
      return { name, version, installed: installed || undefined, isOlder: newer !== undefined }
    })
  },
  fakeValue: ({ paths, values }, path) =>
    paths.has(path)
      ? { name: path, version: '1', installed: values.get(`package of ${path}`), isOlder: false }
      : undefined,
})

const fileStep = resource<FileParams, Found>('package file', {
  id: ({ path }) => path,
  platforms: ['debian'],
  sets: ({ path }) => [{ type: 'path', name: path }],
  read: ({ path }) => packageFileAt(path),
  diff: ({ path, downgrade }, have): Diff | undefined => {
    if (have === undefined)
      throw new Problem(`there is no file ${path}`, { next: 'Add a step before this one: file() or download().' })
    if (have === 'unreadable')
      throw new Problem(`${path} is not a package of Debian`, { next: 'See on the host: dpkg-deb --info FILE' })
    const { name, version, installed, isOlder } = have
    if (installed === version) return undefined
    if (isOlder && !downgrade)
      throw new Problem(`${name} ${version} is older than the installed version ${installed ?? ''}`, {
        next: 'Change the file, or add { downgrade: true }: a package may not be able to read the data of a newer version.',
      })
    return { action: 'install', fields: [{ name, ...(installed !== undefined && { from: installed }), to: version }] }
  },
  apply: ({ path, downgrade }) => [
    {
      script: install({
        names: [],
        words: [path],
        lockTimeout: LOCK_TIMEOUT,
        options: downgrade ? ['--allow-downgrades'] : [],
      }),
      reportsProgress: true,
      explain: (stderr) => explainAptError(stderr),
    },
  ],
  simulate: ({ path }, { values }) => void values.set(`package of ${path}`, '1'),
})

/** Seconds to wait for other package managers. */
const LOCK_TIMEOUT = 600
