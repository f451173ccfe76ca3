import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import type { Step } from '../../../src/model/resource/step.ts'
import { attributes } from '../../../src/resources/files/attributes.ts'
import { copied } from '../../../src/resources/files/copied.ts'
import { file } from '../../../src/resources/files/file.ts'
import { line } from '../../../src/resources/files/line.ts'
import type { AbsolutePath } from '../../../src/resources/files/stat.ts'
import { ownRig } from '../../support/rig.ts'
import { wordsIn } from '../../support/words.ts'
import { thrown } from '../../transport/helpers.ts'

describe('steps that leave contents as they are', () => {
  const rig = ownRig()
  let root: AbsolutePath
  beforeEach(() => {
    root = rig.empty()
  })
  const run = (...steps: readonly Step[]) => rig.run((web) => [play('web', { hosts: web }, () => steps)])
  /** Applies the steps, and checks that a second run has nothing to do. */
  const settled = async (...steps: readonly Step[]) => {
    const { problems, events } = await run(...steps)
    expect(problems).to.deep.equal([])
    expect((await run(...steps)).summary.hosts[0]).to.include({ ok: steps.length, changed: 0 })
    return events
  }
  const modeOf = (name: string) => (statSync(`${root}/${name}`).mode & 0o7777).toString(8)

  describe('file with once', () => {
    it('creates a file, and leaves one that is there as it is', async () => {
      const step = file(`${root}/a`, 'new', { ...rig.own, once: true })
      await settled(step)
      expect(readFileSync(`${root}/a`, 'utf8')).to.equal('new')
      writeFileSync(`${root}/a`, 'theirs')
      chmodSync(`${root}/a`, 0o600)
      await settled(step)
      expect([readFileSync(`${root}/a`, 'utf8'), modeOf('a')]).to.deep.equal(['theirs', '600'])
    })

    it('allows other steps to edit the file, and rejects a directory', async () => {
      await settled(file(`${root}/a`, 'a\n', { ...rig.own, once: true }), line(`${root}/a`, 'b'))
      expect(readFileSync(`${root}/a`, 'utf8')).to.equal('a\nb\n')
      const { problems } = await run(file(root, 'x', { ...rig.own, once: true }))
      expect(problems.join()).to.include('is a directory, not a file')
      expect(() => file(`${root}/a`, 'a', { once: true, follow: true })).to.throw(
        TypeError,
        'so there is none to follow',
      )
    })
  })

  describe('copied', () => {
    it('follows its original, or copies it once', async () => {
      writeFileSync(`${root}/it's`, 'one')
      const follows = copied(`${root}/it's`, `${root}/deep/copy`, rig.own)
      const once = copied(`${root}/it's`, `${root}/once`, { ...rig.own, once: true })
      await settled(follows, once)
      writeFileSync(`${root}/it's`, 'two')
      await settled(follows, once)
      expect(readFileSync(`${root}/deep/copy`, 'utf8')).to.equal('two')
      expect(readFileSync(`${root}/once`, 'utf8')).to.equal('one')
      expect(modeOf('deep/copy')).to.equal('644')
    })

    it('copies a file that an earlier step creates', async () => {
      await settled(file(`${root}/a`, 'x', rig.own), copied(`${root}/a`, `${root}/b`, { ...rig.own, mode: '0600' }))
      expect([readFileSync(`${root}/b`, 'utf8'), modeOf('b')]).to.deep.equal(['x', '600'])
    })

    it('is a Problem without its original, and rejects its own path', async () => {
      const { events } = await run(copied(`${root}/a`, `${root}/b`, rig.own))
      expect(wordsIn(events)).to.include(`There is no file ${root}/a to copy to ${root}/b`)
      expect(() => copied('/a', '/a')).to.throw(TypeError, 'the copy is the original')
    })
  })

  describe('attributes', () => {
    it('change owner and mode alone', async () => {
      writeFileSync(`${root}/a`, 'text')
      await settled(attributes(`${root}/a`, { mode: '0600' }))
      expect([readFileSync(`${root}/a`, 'utf8'), modeOf('a')]).to.deep.equal(['text', '600'])
      mkdirSync(`${root}/d`)
      await settled(attributes(`${root}/d`, { mode: '2770', ...rig.own }))
      expect(modeOf('d')).to.equal('2770')
      await settled(attributes(`${root}/d`, { mode: '0755' }))
      expect(modeOf('d')).to.equal('755')
    })

    it('of a tree keep execute bits of directories and programs, and never follow links', async () => {
      mkdirSync(`${root}/tree/a b`, { recursive: true })
      for (const [name, mode] of [
        ['plain', 0o666],
        ['program', 0o700],
        ['a b/deep\nname', 0o600],
        ['right', 0o640],
      ] as const) {
        writeFileSync(`${root}/tree/${name}`, '')
        chmodSync(`${root}/tree/${name}`, mode)
      }
      writeFileSync(`${root}/outside`, '')
      chmodSync(`${root}/outside`, 0o600)
      symlinkSync('../outside', `${root}/tree/link`)
      chmodSync(`${root}/tree/a b`, 0o2755)
      const before = statSync(`${root}/tree/right`).ctimeMs
      await settled(attributes(`${root}/tree`, { mode: '0640', recursive: true, ...rig.own }))
      expect(
        ['tree', 'tree/a b', 'tree/plain', 'tree/program', 'tree/a b/deep\nname', 'outside'].map(modeOf),
      ).to.deep.equal([...['750', '2750', '640', '750', '640', '600']])
      expect(statSync(`${root}/tree/right`).ctimeMs, 'a file that was right is not touched').to.equal(before)
      expect(lstatSync(`${root}/tree/link`).isSymbolicLink()).to.equal(true)
    })

    it('of a tree show the entries that differ', async () => {
      mkdirSync(`${root}/tree`)
      for (let i = 0; i < 12; i++) writeFileSync(`${root}/tree/${i}`, '', { mode: 0o600 })
      const { events } = await run(attributes(`${root}/tree`, { mode: '0644', recursive: true }))
      const [fields = []] = events.flatMap((event) =>
        event.kind === 'step' && event.outcome === 'changed' ? [event.difference.fields] : [],
      )
      expect(fields[0]).to.deep.equal({
        name: 'all entries',
        to: 'mode 0644, execute bits of directories and programs',
      })
      expect(fields.filter(({ name }) => name === 'entry')).to.have.length(10)
      expect(fields.at(-1)).to.deep.equal({ name: 'more entries', to: '2' })
    })

    it('of a path that is missing or a link are a Problem', async () => {
      expect(wordsIn((await run(attributes(`${root}/a`, { mode: '0600' }))).events)).to.include('There is nothing at')
      symlinkSync('/etc/passwd', `${root}/l`)
      expect((await run(attributes(`${root}/l`, { mode: '0600' }))).problems.join()).to.include(
        'is a link, not a file or directory',
      )
    })

    it('that contradict a file are refused before any change', async () => {
      const steps = [file(`${root}/a`, 'x', rig.own), attributes(`${root}/a`, { mode: '0600' })]
      expect(String(await thrown(run(...steps)))).to.include('want different things of')
      expect(existsSync(`${root}/a`)).to.equal(false)
    })

    it('need something to set', () => {
      expect(() => attributes('/a', {})).to.throw(TypeError, 'give an owner, a group or a mode')
      expect(() => attributes('/a', { mode: '2750', recursive: true })).to.throw(
        TypeError,
        'a recursive mode has no set-id',
      )
      expect(() => attributes('/a', { owner: 'a b' })).to.throw(TypeError, '"a b" is not a name or number')
    })
  })
})
