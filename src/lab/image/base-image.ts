import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'
import { elapsed } from '../../shell/duration.ts'
import { serveOnLoopback } from '../apt/server.ts'
import type { Mirror } from '../apt/sources.ts'
import { machineMirror } from '../apt/sources.ts'
import { locked } from '../base/lock.ts'
import { CACHE, STATE } from '../base/paths.ts'
import { run, tryRun } from '../base/run.ts'
import { type Debian, readState } from '../base/state.ts'
import { basePackages, finishingScript, RELEASE_NAMES, sourcesList } from './base-contents.ts'
import { basesOfSnapshots } from './snapshots.ts'

interface BaseOptions {
  readonly debian: Debian
  readonly mirror?: Mirror
  readonly log: (line: string) => void
}

/** Returns the root directory of a release's image. It is built once and never changed, because hosts' disks are overlays of it. */
export async function baseImage({ debian, mirror = machineMirror(), log }: BaseOptions): Promise<string> {
  const directory = join(CACHE, 'base', `debian-${debian}-${fingerprint(debian, mirror)}`)
  if (existsSync(directory)) return directory
  await locked(
    { name: directory, waiting: () => log('another lab builds the base image; waiting for it') },
    async () => {
      if (!existsSync(directory)) await build({ debian, mirror, log, directory })
    },
  )
  return directory
}

/** Changes with the contents of the image. */
function fingerprint(debian: Debian, mirror: Mirror): string {
  const contents = [process.arch, basePackages, sourcesList(debian, mirror), finishingScript(debian, mirror)]
  return createHash('sha256').update(JSON.stringify(contents)).digest('hex').slice(0, 12)
}

async function build(options: Required<BaseOptions> & { readonly directory: string }): Promise<void> {
  const { debian, mirror, log, directory } = options
  const begin = Date.now()
  const say = (line: string) => log(`base image: ${line} (${elapsed(Date.now() - begin)})`)
  const unfinished = `${directory}.unfinished`
  await rm(unfinished, { recursive: true, force: true }) // left by an interrupted build
  await mkdir(join(CACHE, 'base'), { recursive: true })
  log(`base image: building Debian ${debian} from ${mirror.archive}`)
  await using packages = await serveOnLoopback(mirror)
  const { code, stderr } = await tryRun(
    'setpriv',
    [
      ...['--pdeathsig', 'TERM', 'mmdebstrap'], // it cleans up, also if we are killed
      '--mode=root',
      '--variant=minbase',
      '--skip=cleanup/apt/lists', // otherwise each host's first `apt-get update` downloads them all
      `--include=${basePackages.join(',')}`,
      `--aptopt=Acquire::http::Proxy "http://127.0.0.1:${packages.port}"`,
      '--aptopt=Acquire::Languages "none"',
      '--aptopt=Acquire::Check-Valid-Until "false"',
      RELEASE_NAMES[debian],
      unfinished,
      '-',
    ],
    {
      input: sourcesList(debian, mirror),
      onLine: (line) => {
        const [, step] = /^I: ((?:running|downloading|extracting|installing)\b.*?)\.*$/.exec(line) ?? []
        if (step) say(step)
      },
    },
  )
  if (code !== 0) throw buildProblem(stderr, mirror)
  await run('chroot', [unfinished, '/bin/sh', '-eu'], { input: finishingScript(debian, mirror) })
  await chmod(unfinished, 0o755)
  await rename(unfinished, directory)
  await removeOthers(directory, debian)
  say('ready')
}

/** Removes earlier images of the release, unless a lab or snapshot uses them or one is being built. */
async function removeOthers(directory: string, debian: Debian): Promise<void> {
  const labs = existsSync(STATE) ? await readdir(STATE) : []
  const used = new Set([...labs.flatMap((name) => readState(name)?.base ?? []), ...basesOfSnapshots()])
  for (const name of await readdir(join(CACHE, 'base'))) {
    const path = join(CACHE, 'base', name)
    if (!name.startsWith(`debian-${debian}-`) || path === directory || used.has(path)) continue
    if (Date.now() - (await stat(path)).mtimeMs > UNUSED_FOR) await rm(path, { recursive: true, force: true })
  }
}

/** Milliseconds for which an unused image is kept: it may be under construction, or a lab may be about to use it. */
const UNUSED_FOR = 24 * 3_600_000

function buildProblem(stderr: string, mirror: Mirror): Problem {
  const lines = stderr.split('\n').filter((line) => /^(E|W|Err):?/.test(line))
  return new Problem('The base image could not be built.', {
    details: (lines.length > 0 ? lines : stderr.trim().split('\n')).slice(-8),
    next: `Check that this machine reaches ${mirror.archive}, then: provision lab up`,
  })
}
