import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Problem } from '../../model/problem.ts'
import { compare } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { batchRead } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { checkPath } from '../arguments.ts'
import { directoryOf, ensureDirectory } from '../files/staging.ts'
import type { AbsolutePath } from '../files/stat.ts'

/** The options of `git`. */
export interface GitOptions extends StepOptions {
  /** The address of the repository, as git takes it; without credentials. */
  readonly repo: string
  /** A branch, a tag, or the 40 digits of a commit. @default the branch that the repository shows */
  readonly at?: string
  /** The user who owns the files and runs git. @default 'root' */
  readonly owner?: string
  /** True to put changes of tracked files aside (`git stash`); otherwise they are an error. @default false */
  readonly discard?: boolean
}

/**
 * A checkout of a git repository, detached at one commit. A branch or a tag is resolved once on this machine, so all hosts of a run get the
 * same commit, also hosts of later batches. Files that git does not track stay. The host needs git and access to the repository.
 *
 * @throws TypeError for an invalid path, address or name
 * @example
 * git('/srv/app/source', { repo: 'https://example.com/app.git', at: 'v1.2.0', owner: 'app' })
 */
export function git(
  path: AbsolutePath,
  { repo, at = 'HEAD', owner = 'root', discard = false, timeout = '30m', ...options }: GitOptions,
): Step {
  const what = `git ${path}`
  checkPath(what, path)
  if (repo === '' || repo.startsWith('-') || /[\s\0]/.test(repo))
    throw new TypeError(`${what}: ${JSON.stringify(repo)} is not the address of a repository`)
  if (/^\w+:\/\/[^/@]*:[^/@]*@/.test(repo))
    throw new TypeError(
      `${what}: the address has a password, which process lists show: use SSH, or a credential helper`,
    )
  if (!/^[A-Za-z0-9_][^\s~^:?*[\\]*$/.test(at) || at.includes('..'))
    throw new TypeError(`${what}: ${JSON.stringify(at)} is not a branch, a tag or a commit`)
  return gitStep({ path, repo, at, owner, discard }, { timeout, ...options })
}

interface GitParams {
  readonly path: string
  readonly repo: string
  readonly at: string
  readonly owner: string
  readonly discard: boolean
}

interface Checkout {
  /** The type of the directory: one with other contents is not replaced. */
  readonly type: 'none' | 'empty' | 'repository' | 'other'
  readonly commit: string | undefined
  readonly repo: string | undefined
  /** The first changed file that git tracks. */
  readonly changed: string | undefined
}

/** Three processes of git for each checkout. */
const checkoutAt = batchRead<string, Checkout>({
  name: 'git checkouts',
  dependsOn: (path) => [path],
  shared: true,
  script: (
    paths,
  ) => sh`asked() { git --no-optional-locks -c safe.directory='*' -C "$path" "$@" 2>/dev/null | head -n 1; }
for path in ${paths}; do
  type=none commit= repo= changed=
  if [ -e "$path/.git" ]; then
    type=repository
    commit=$(asked rev-parse -q --verify 'HEAD^{commit}') repo=$(asked remote get-url origin)
    changed=$(asked status --porcelain --untracked-files=no)
  elif [ -e "$path" ] || [ -L "$path" ]; then
    type=empty
    for one in "$path"/* "$path"/.[!.]*; do [ ! -e "$one" ] || type=other; done
    [ -d "$path" ] || type=other
  fi
  printf '%s\n' "$type" "$commit" "$repo" "$changed"
done`,
  parse: ({ stdout }, paths) => {
    const lines = stdout.split('\n')
    return paths.map((_path, i) => {
      const [type = 'none', commit, repo, changed] = lines.slice(4 * i)
      return {
        type: type === 'empty' || type === 'repository' || type === 'other' ? type : 'none',
        commit: commit || undefined,
        repo: repo || undefined,
        changed: changed || undefined,
      }
    })
  },
  fakeValue: ({ values }, path) => {
    const [repo, commit] = values.get(`checkout at ${path}`)?.split(' ') ?? []
    return { type: commit === undefined ? 'none' : 'repository', commit, repo, changed: undefined }
  },
})

const gitStep = resource<GitParams, Checkout>('git checkout', {
  id: ({ path }) => path,
  sets: ({ path }) => [{ type: 'path', name: path, below: true }],
  affects: 'itself',
  prepare: async (params) => void (await commitOf(params)),
  read: ({ path }) => checkoutAt(path),
  diff: (params, have) => {
    const { path, repo, discard } = params
    if (have.type === 'other')
      throw new Problem(`${path} has files and is not a git repository`, {
        next: `Move it away on the host, or add a step before this one: absent('${path}').`,
      })
    const found = compare(
      { repository: repo, commit: wanted(params) },
      have.type === 'repository' ? { repository: have.repo, commit: have.commit } : undefined,
    )
    if (have.changed !== undefined && !discard)
      return {
        action: 'change',
        fields: found?.fields ?? [],
        problem: new Problem(`${path} has changes that are not committed: ${have.changed.trim()}`, {
          next: 'Commit them elsewhere and undo them on the host, or put them aside with { discard: true }.',
        }),
      }
    if (have.changed === undefined) return found
    const fields = [...(found?.fields ?? []), { name: 'changed files', from: have.changed.trim(), to: 'put aside' }]
    return { action: 'change', fields }
  },
  apply: (params, have) => {
    const { path, repo, owner } = params
    const commit = wanted(params)
    return [
      {
        script: sh`${ensureDirectory(directoryOf(path))} && { [ -d ${path} ] || { group=$(id -gn ${owner}) && install -d -o ${owner} -g "$group" ${path}; }; }`,
        inline: true,
      },
      {
        // A server may not send a commit by its number unless a branch or a tag is there.
        script: sh`export GIT_TERMINAL_PROMPT=0 GIT_SSH_COMMAND='ssh -o BatchMode=yes'
cd ${path} || exit
[ -e .git ] || git init -q || exit
${have.changed === undefined ? sh`:` : sh`git -c user.name=provision -c user.email=provision@localhost stash push -q || exit`}
git remote set-url origin ${repo} 2>/dev/null || git remote add origin ${repo} || exit
git cat-file -e ${`${commit}^{commit}`} 2>/dev/null || git fetch -q --depth 1 origin ${commit} || git fetch -q --force --tags origin '+refs/heads/*:refs/remotes/origin/*' || exit
git -c advice.detachedHead=false checkout -q --detach ${commit}`,
        as: owner,
        explain: (stderr) => explainGit(stderr),
      },
    ]
  },
  simulate: (params, host) => {
    const { path, owner } = params
    putPath(host, path, { type: 'directory', owner, group: owner, mode: '0755' })
    host.values.set(`checkout at ${path}`, `${params.repo} ${wanted(params)}`)
  },
})

/** Commits of branches and tags, by address and name. */
const RESOLVED = new Map<string, Promise<string | Problem>>()
const COMMITS = new Map<string, string | Problem>()

/** Resolves the name on this machine, once in a run for all hosts. A Problem is thrown by the comparison, which knows the step. */
async function commitOf({ repo, at }: GitParams): Promise<void> {
  if (isCommit(at)) return
  const key = keyOf(repo, at)
  const resolving = RESOLVED.get(key) ?? resolve(repo, at)
  RESOLVED.set(key, resolving)
  COMMITS.set(key, await resolving)
}

/** @throws Problem if the name could not be resolved */
function wanted({ repo, at }: GitParams): string {
  if (isCommit(at)) return at
  const found = COMMITS.get(keyOf(repo, at))
  if (found instanceof Problem) throw found
  return found ?? at
}

function keyOf(repo: string, at: string): string {
  return `${repo} ${at}`
}

function isCommit(at: string): boolean {
  return /^[0-9a-f]{40}$/.test(at)
}

/** A tag with an annotation is an object of its own, which `^{}` resolves to its commit. */
async function resolve(repo: string, at: string): Promise<string | Problem> {
  const next =
    'Correct the address or the name. This machine resolves names, so it needs git and access to the repository.'
  try {
    const { stdout } = await promisify(execFile)('git', ['ls-remote', '--', repo, at, `${at}^{}`], {
      env: { ...process.env, GIT_TERMINAL_PROMPT: '0' },
    })
    const refs = new Map(stdout.split('\n').map((line) => [line.slice(41), line.slice(0, 40)]))
    const names = at === 'HEAD' ? ['HEAD'] : [`refs/tags/${at}^{}`, `refs/tags/${at}`, `refs/heads/${at}`]
    const found = names.flatMap((name) => refs.get(name) ?? [])
    const isAmbiguous = refs.has(`refs/tags/${at}`) && refs.has(`refs/heads/${at}`)
    if (isAmbiguous) return new Problem(`${at} of ${repo} is a branch and a tag`, { next: 'Give the commit.' })
    return found[0] ?? new Problem(`${repo} has no branch and no tag ${at}`, { next })
  } catch (cause) {
    const details = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim().split('\n') : []
    return new Problem(`${at} of ${repo} cannot be resolved on this machine`, { details, next, cause })
  }
}

function explainGit(stderr: string) {
  if (/git: (?:command )?not found/.test(stderr))
    return { what: 'the host has no git', next: "Add a step before this one: pkg('git')." }
  if (/Host key verification failed/.test(stderr))
    return {
      what: 'the host does not know the key of the server',
      next: 'Add the key to /etc/ssh/ssh_known_hosts, in a step before this one.',
    }
  return undefined
}
