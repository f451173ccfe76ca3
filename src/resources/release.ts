import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { Problem } from '../model/problem.ts'
import { resource, type Step, type StepOptions } from '../model/step.ts'
import { sh } from '../shell/sh.ts'
import { type AbsolutePath, type Entry, entryAt } from './paths.ts'

/** A built directory of this machine that is to stand on hosts. */
export interface Build {
  readonly directory: string
  /** Made from the names and contents of its files: what is the same has the same id. */
  readonly id: string
}

/**
 * Looks at a directory that a build has made.
 *
 * @param hint what to do when it is not there
 */
export function build(directory: string, hint: string): Build {
  const stat = statSync(directory, { throwIfNoEntry: false })
  if (!stat?.isDirectory()) throw new Problem(`There is nothing to deploy at ${directory}`, { next: hint })
  const root = resolve(directory)
  const names = filesOf(root)
  if (names.length === 0) throw new Problem(`There are no files to deploy at ${directory}`, { next: hint })
  const hash = createHash('sha256')
  for (const name of names) {
    const bytes = readFileSync(join(root, name))
    hash.update(`${name}\0${bytes.length}\0`).update(bytes)
  }
  return Object.freeze({ directory: root, id: hash.digest('hex').slice(0, 12) })
}

/** All files below a directory (a resolved path), in an order of their own that no file system has a say in. */
function filesOf(directory: string): readonly string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()
}

/**
 * A build at a path of the host that nothing else stands at; put the build's id into the path. It is unpacked beside it and then
 * renamed, so what is there is whole. Files belong to root and are readable by all.
 */
export function release(path: AbsolutePath, from: Build, options: StepOptions = {}): Step {
  return releaseStep({ path, from }, options)
}

interface ReleaseParams {
  readonly path: AbsolutePath
  readonly from: Build
}

const releaseStep = resource<ReleaseParams, Entry | undefined>('release', {
  id: ({ path }) => path,
  reach: 'own',
  read: ({ path }) => entryAt({ path }),
  diff: ({ path, from }, have) => {
    if (have && have.type !== 'directory')
      throw new Problem(`${path} is a ${have.type}, where a release is wanted`)
    return have ? undefined : { verb: 'create', fields: [{ name: 'release', to: from.id }] }
  },
  apply: ({ path, from }) => {
    const at = `${path}.incoming`
    return [
      {
        script: sh`rm -rf -- ${at} && mkdir -p -m 0755 ${at} && tar -xz --no-same-owner -C ${at} && sync ${at} && mv -T -- ${at} ${path}`,
        input: packed(from),
      },
    ]
  },
})

/**
 * Web servers make an ETag of a file's time and size, so the time is made of its content: the same on every host and in every
 * release that has the same bytes, another one for others of the same length.
 */
function packed({ directory }: Build): Uint8Array {
  // Loaded when something is packed: it takes 30 ms.
  const { create }: typeof import('tar') = createRequire(import.meta.url)('tar')
  const packer = create(
    {
      sync: true,
      gzip: true,
      portable: true,
      cwd: directory,
      onWriteEntry: (entry) => {
        entry.mtime = timeOf(readFileSync(join(directory, entry.path)))
      },
    },
    // To the packer a name that begins with @ is an archive to be taken in.
    filesOf(directory).map((name) => `./${name}`),
  )
  return packer.read() ?? new Uint8Array()
}

/** A second between 2001 and 2009. */
function timeOf(content: Uint8Array): Date {
  const digits = createHash('sha256').update(content).digest().readUInt32BE()
  return new Date(1e12 + (digits % 2 ** 28) * 1000)
}
