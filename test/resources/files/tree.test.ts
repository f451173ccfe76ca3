import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import { Problem } from '../../../src/model/problem.ts'
import type { AbsolutePath } from '../../../src/resources/files/stat.ts'
import { localDirectory, tree } from '../../../src/resources/files/tree.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig } from '../../support/rig.ts'
import { wordsIn } from '../../support/words.ts'

describe('tree', () => {
  const rig = ownRig({ private: true })
  let local: AbsolutePath
  let root: AbsolutePath
  beforeEach(() => {
    local = rig.empty()
    root = `${rig.empty()}/it's a tree`
    mkdirSync(`${local}/a b/empty`, { recursive: true })
    writeFileSync(`${local}/a b/new\nline`, 'one')
    writeFileSync(`${local}/program`, 'two', { mode: 0o755 })
    symlinkSync('../program', `${local}/a b/link`)
  })
  const from = () => localDirectory({ url: pathToFileURL(`${local}/main.ts`).href }, '.')
  const step = (options: Parameters<typeof tree>[2] = {}) => tree(root, from(), { ...rig.own, ...options })
  const run = (one = step()) => rig.run((web) => [play('web', { hosts: web }, () => one)])
  const settled = async (options: Parameters<typeof tree>[2] = {}) => {
    const { problems, events } = await run(step(options))
    expect(problems, wordsIn(events)).to.deep.equal([])
    expect((await run(step(options))).summary.hosts[0]).to.include({ ok: 1, changed: 0 })
    return events.flatMap((event) =>
      event.kind === 'step' && event.outcome === 'changed'
        ? event.difference.fields.map(({ name, to }) => `${name}: ${to.split(' ')[0]}`)
        : [],
    )
  }
  const list = () => readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()

  it('is created with contents, links, empty directories, and execute bits for those that may read', async () => {
    await settled({ mode: '0640' })
    expect(list()).to.deep.equal(['a b', 'a b/empty', 'a b/link', 'a b/new\nline', 'program'])
    expect(readFileSync(`${root}/a b/new\nline`, 'utf8')).to.equal('one')
    expect(readlinkSync(`${root}/a b/link`)).to.equal('../program')
    const modes = ['', 'a b', 'a b/new\nline', 'program'].map((name) =>
      (statSync(`${root}/${name}`).mode & 0o7777).toString(8),
    )
    expect(modes).to.deep.equal(['750', '750', '640', '750'])
  })

  it('sends only what differs, and leaves other entries', async () => {
    await settled()
    const before = statSync(`${root}/program`).ino
    writeFileSync(`${root}/theirs`, 'x')
    writeFileSync(`${root}/a b/new\nline`, 'changed by hand')
    expect(await settled()).to.deep.equal(['a b/new\nline: file'])
    expect(statSync(`${root}/program`).ino).to.equal(before)
    expect(existsSync(`${root}/theirs`)).to.equal(true)
    chmodSync(`${root}/a b`, 0o777)
    expect(await settled()).to.deep.equal(['a b: directory'])
    chmodSync(root, 0o700)
    expect(await settled()).to.deep.equal([`${root}: directory`])
    rmSync(`${root}/program`)
    symlinkSync('/etc/passwd', `${root}/program`)
    expect(await settled()).to.deep.equal(['program: file'])
    expect(lstatSync(`${root}/program`).isFile()).to.equal(true)
  })

  it('that is exclusive moves others to the removed files, and shows them', async () => {
    await settled()
    mkdirSync(`${root}/theirs/deep`, { recursive: true })
    writeFileSync(`${root}/theirs/deep/file`, 'precious')
    writeFileSync(`${root}/a b/other`, 'x')
    expect((await settled({ exclusive: true })).sort()).to.deep.equal(['a b/other: absent', 'theirs: absent'])
    expect(list()).to.deep.equal(['a b', 'a b/empty', 'a b/link', 'a b/new\nline', 'program'])
    const { session, close } = await rig.session('look')
    const [kept] = await session.run([{ script: sh`cat /var/lib/provision/removed/*/theirs/deep/file` }])
    await close()
    expect(kept?.stdout.toString()).to.equal('precious')
  })

  it('is a Problem where a directory is in place of a file, or a link in place of a directory', async () => {
    mkdirSync(`${root}/program`, { recursive: true })
    expect(wordsIn((await run()).events)).to.include(`${root}/program is a directory, not a file`)
    rmSync(`${root}/program`, { recursive: true })
    symlinkSync('/tmp', `${root}/a b`)
    expect(wordsIn((await run()).events)).to.include('a b is a link, not a directory')
    rmSync(root, { recursive: true })
    symlinkSync('/tmp', root)
    expect(wordsIn((await run()).events)).to.include(`${root} is a link, not a directory`)
  })

  it('takes a directory that exists, and the mode of plain files', () => {
    expect(() => localDirectory({ url: 'file:///main.ts' }, 'no-such-directory')).to.throw(
      Problem,
      'There is no directory /no-such-directory',
    )
    expect(() => step({ mode: '0755' })).to.throw(TypeError, 'the mode 0755 is one of plain files')
    expect(() => step({ owner: '33' })).to.throw(TypeError, '"33" is not the name of a user or group')
    writeFileSync(`${local}/bad`, '')
    rmSync(`${local}/bad`)
    symlinkSync('/tmp/../etc', `${local}/out`)
    expect(from).not.to.throw()
    symlinkSync('../..', `${local}/up`)
    expect(from).to.throw(Problem, 'has entries that cannot be sent')
  })
})
