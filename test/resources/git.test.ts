import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import type { Mode } from '../../src/model/event.ts'
import { play } from '../../src/model/playbook/play.ts'
import type { Step } from '../../src/model/resource/step.ts'
import { type GitOptions, git } from '../../src/resources/system/git.ts'
import { ownRig } from '../support/rig.ts'

describe('a git checkout', () => {
  const rig = ownRig({ private: true })
  let number = 0

  /** A repository with the commits one, two and three. */
  const repository = () => {
    const root = rig.empty()
    const repo = `${root}/repository`
    mkdirSync(repo)
    const run = (...args: readonly string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.net', '-C', repo, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim()
    run('init', '-q', '-b', 'main')
    const commit = (text: string) => {
      writeFileSync(`${repo}/file`, text)
      run('add', '.')
      run('commit', '-qm', text)
      return run('rev-parse', 'HEAD')
    }
    const commits = { one: commit('one'), two: commit('two'), three: commit('three') }
    run('tag', '-a', 'annotated', '-m', 'x', commits.two)
    const at = `${root}/checkout-${number++}` as const
    const step = (options: Partial<GitOptions> = {}) => git(at, { repo: `file://${repo}`, ...rig.own, ...options })
    return { run, commit, commits, at, step, text: () => readFileSync(`${at}/file`, 'utf8') }
  }

  const run = async (step: Step, mode: Mode = 'apply') => {
    const { events, problems } = await rig.run((web) => [play('test', { hosts: web }, () => step)], { mode })
    const outcomes = events.flatMap((event) => (event.kind === 'step' ? [event.outcome] : []))
    return { outcomes, problems: problems.join('\n') }
  }
  const changes = async (step: Step) => {
    expect(await run(step)).to.deep.equal({ outcomes: ['changed'], problems: '' })
    expect(await run(step)).to.deep.equal({ outcomes: ['ok'], problems: '' })
  }

  it('is at a branch, and a plan makes none', async () => {
    const { at, step, text } = repository()
    expect(await run(step({ at: 'main' }), 'plan')).to.deep.equal({ outcomes: ['planned'], problems: '' })
    expect(existsSync(at)).to.equal(false)
    await changes(step({ at: 'main' }))
    expect(text()).to.equal('three')
  })

  it('moves to older and newer commits, and to the commit of an annotated tag', async () => {
    const { step, text, commits } = repository()
    await changes(step())
    await changes(step({ at: commits.one }))
    expect(text()).to.equal('one')
    await changes(step({ at: 'annotated' }))
    expect(text()).to.equal('two')
    await changes(step({ at: commits.three }))
    expect(text()).to.equal('three')
  })

  it('is the same for all hosts of a run, though the branch moves meanwhile', async () => {
    const { step, text, commit } = repository()
    await changes(step({ at: 'main' }))
    commit('four')
    expect(await run(step({ at: 'main' }))).to.deep.equal({ outcomes: ['ok'], problems: '' })
    expect(text()).to.equal('three')
  })

  it('with changes is an error, or they are put aside; other files stay', async () => {
    const { at, step, text, commits } = repository()
    await changes(step())
    writeFileSync(`${at}/file`, 'edited')
    writeFileSync(`${at}/own`, 'own')
    expect((await run(step({ at: commits.one }))).problems).to.include('has changes that are not committed: M file')
    expect(text()).to.equal('edited')
    await changes(step({ at: commits.one, discard: true }))
    expect(text()).to.equal('one')
    expect(readFileSync(`${at}/own`, 'utf8')).to.equal('own')
    expect(execFileSync('git', ['-C', at, 'stash', 'show', '-p'], { encoding: 'utf8' })).to.include('edited')
  })

  it('does not replace a directory with other files', async () => {
    const { at, step } = repository()
    mkdirSync(at)
    await changes(step())
    const other = repository()
    mkdirSync(other.at)
    writeFileSync(`${other.at}/.hidden`, '')
    expect((await run(other.step())).problems).to.include('has files and is not a git repository')
  })

  it('names a branch that is not there, a name of two things, and a repository that does not answer', async () => {
    const { step, run: inRepository } = repository()
    expect((await run(step({ at: 'nowhere' }))).problems).to.include('has no branch and no tag nowhere')
    inRepository('branch', 'annotated')
    expect((await run(step({ at: 'annotated' }))).problems).to.include('is a branch and a tag')
    expect((await run(step({ repo: 'file:///nowhere' }))).problems).to.include('cannot be resolved on this machine')
  })

  it('explains a missing git and an unknown host key', () => {
    const none = { type: 'none', commit: undefined, repo: undefined, changed: undefined }
    const [, command] = git('/srv/a', { repo: 'https://example.net/a', at: 'ab'.repeat(20) }).apply(none)
    expect(command?.explain?.('sh: 5: git: not found')?.next).to.include("pkg('git')")
    expect(command?.explain?.('Host key verification failed.')?.what).to.equal(
      'the host does not know the key of the server',
    )
  })

  it('rejects addresses with passwords or options, and names that git does not take', () => {
    const made =
      (repo: string, at = 'main') =>
      () =>
        git('/srv/app', { repo, at })
    expect(made('https://me:word@example.net/a.git')).to.throw(TypeError, 'the address has a password')
    expect(made('--upload-pack=x')).to.throw(TypeError, 'is not the address of a repository')
    for (const at of ['', '-b', 'a b', 'a..b', 'a^', 'a:b'])
      expect(made('/srv/a', at), at).to.throw(TypeError, 'is not a branch')
  })
})
