import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { expect } from 'chai'
import { play } from '../../src/model/play.ts'
import type { Steps } from '../../src/model/steps.ts'
import { absent } from '../../src/resources/absent.ts'
import { directory } from '../../src/resources/directory.ts'
import { file } from '../../src/resources/file.ts'
import { link } from '../../src/resources/link.ts'
import type { AbsolutePath } from '../../src/resources/paths.ts'
import { build, release } from '../../src/resources/release.ts'
import { Secret } from '../../src/shell/secret.ts'
import { sh } from '../../src/shell/sh.ts'
import { Rig } from '../support/rig.ts'

describe('on a real file system', () => {
  let rig: Rig
  let root: AbsolutePath

  before(async () => {
    rig = await Rig.open()
  })
  after(() => rig?.close())
  beforeEach(() => {
    root = rig.empty()
  })

  /** Brings the steps about; the engine itself proves that they have converged. */
  const made = async (...steps: readonly Steps[]) => {
    const { problems, told } = await rig.run((web) => [play('web', { hosts: web }, () => steps)])
    expect(problems).to.deep.equal([])
    return told.map((line) => line.split(' ')[1])
  }
  const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8)

  describe('a file', () => {
    const CONTENTS: Readonly<Record<string, string | Uint8Array>> = {
      nothing: '',
      'no line break at its end': 'a',
      'line breaks at its end': 'a\n\n\n',
      'what a shell would read something into': `'"\`$(id) $HOME \\n \\\\ %s %% ! ~ * EOF\n`,
      'text of the world': 'ünïcödé 雪 🦆\r\n',
      'a NUL': 'a\0b',
      'bytes that are no text': Uint8Array.from({ length: 1024 }, (_, i) => i % 256),
      'much text': 'line of a large file\n'.repeat(20_000),
      'many bytes': Buffer.alloc(300_000, 0xfe),
    }
    for (const [what, content] of Object.entries(CONTENTS))
      it(`holds ${what}`, async () => {
        await made(file(`${root}/a`, content, rig.own))
        expect(readFileSync(`${root}/a`).equals(Buffer.from(content))).to.equal(true)
      })

    it('is for all to read, a secret one for its owner alone, whatever was there', async () => {
      writeFileSync(`${root}/secret`, 'old', { mode: 0o666 })
      const secret = new Secret(() => 'hunter2')
      await made(
        file(`${root}/plain`, 'a', rig.own),
        file(`${root}/secret`, secret, rig.own),
        file(`${root}/shared`, secret, { ...rig.own, mode: '0640' }),
        file(`${root}/program`, 'a', { ...rig.own, mode: '755' }),
      )
      expect(['plain', 'secret', 'shared', 'program'].map((name) => mode(`${root}/${name}`))).to.deep.equal([
        '644',
        '600',
        '640',
        '755',
      ])
      expect(readFileSync(`${root}/secret`, 'utf8')).to.equal('hunter2')
    })

    it('has a name of any sort, in directories that are made', async () => {
      await made(file(`${root}/new dir/it's "$HOME"\n-x`, 'a', rig.own))
      expect(readdirSync(`${root}/new dir`)).to.deep.equal(['it\'s "$HOME"\n-x'])
      expect(mode(`${root}/new dir`)).to.equal('755')
    })

    it('leaves nothing beside it', async () => {
      await made(file(`${root}/a`, 'a', rig.own))
      await made(file(`${root}/a`, 'b', rig.own))
      expect(readdirSync(root)).to.deep.equal(['a'])
    })

    it('leaves nothing beside it, and what was there as it was, when it cannot be written', async () => {
      writeFileSync(`${root}/a`, 'old')
      const { summary } = await rig.run((web) => [
        play('web', { hosts: web }, () => [file(`${root}/a`, 'new', { owner: 'no-such-user' })]),
      ])
      expect(summary.hosts[0]).to.include({ failed: 1 })
      expect([readdirSync(root), readFileSync(`${root}/a`, 'utf8')]).to.deep.equal([['a'], 'old'])
    })

    it('is another file when its content changes, so that who reads the old one reads it whole', async () => {
      await made(file(`${root}/a`, 'old', rig.own))
      const before = statSync(`${root}/a`).ino
      await made(file(`${root}/a`, 'new', rig.own))
      expect(statSync(`${root}/a`).ino).not.to.equal(before)
    })

    it('is the same one when only its mode changes', async () => {
      await made(file(`${root}/a`, 'old', rig.own))
      const before = statSync(`${root}/a`).ino
      await made(file(`${root}/a`, 'old', { ...rig.own, mode: '0600' }))
      expect([statSync(`${root}/a`).ino, mode(`${root}/a`)]).to.deep.equal([before, '600'])
    })

    it('has its owner and mode before it has its content, so that nobody reads what is not for them', () => {
      const programs = rig.empty()
      const tell = 'for last; do :; done; stat -c "%s" "$last" >> $SEEN'
      for (const name of ['chmod', 'install'])
        writeFileSync(`${programs}/${name}`, `#!/bin/sh\n/usr/bin/${name} "$@"; ${tell}\n`, { mode: 0o755 })
      const have = { type: 'file', mode: '0644', owner: 'root', group: 'root', size: 3, target: '' } as const
      writeFileSync(`${root}/old`, 'old', { mode: 0o644 })
      for (const [name, entry] of Object.entries({ new: undefined, old: { ...have, sha256: '' } })) {
        const [write] = file(`${root}/${name}`, 'secret', { ...rig.own, mode: '0600' }).apply(entry)
        execFileSync('sh', ['-c', write?.script.text ?? ''], {
          env: { PATH: `${programs}:/usr/bin:/bin`, SEEN: `${root}/seen` },
        })
        expect([readFileSync(`${root}/${name}`, 'utf8'), mode(`${root}/${name}`)]).to.deep.equal([
          'secret',
          '600',
        ])
      }
      expect(readFileSync(`${root}/seen`, 'utf8')).to.equal('0\n0\n')
    })

    it('takes the place of a link, and leaves what that leads to alone', async () => {
      writeFileSync(`${root}/other`, 'other')
      symlinkSync('other', `${root}/a`)
      await made(file(`${root}/a`, 'own', rig.own))
      expect(lstatSync(`${root}/a`).isFile()).to.equal(true)
      expect(readFileSync(`${root}/other`, 'utf8')).to.equal('other')
    })
  })

  it('a directory is made with those above it, and what is in it is left alone', async () => {
    await made(directory(`${root}/a/b c`, { ...rig.own, mode: '0700' }))
    writeFileSync(`${root}/a/b c/file`, '', { mode: 0o600 })
    await made(directory(`${root}/a/b c`, { ...rig.own, mode: '2750' }))
    expect([mode(`${root}/a`), mode(`${root}/a/b c`), mode(`${root}/a/b c/file`)]).to.deep.equal([
      '755',
      '2750',
      '600',
    ])
  })

  it('a link is made, and replaced, whatever it leads to', async () => {
    mkdirSync(`${root}/dir`)
    writeFileSync(`${root}/file`, '')
    symlinkSync('dir', `${root}/link`)
    await made(
      link(`${root}/link`, { target: '-n o where' }),
      link(`${root}/file`, { target: `${root}/dir` }),
    )
    expect([readlinkSync(`${root}/link`), readlinkSync(`${root}/file`)]).to.deep.equal([
      '-n o where',
      `${root}/dir`,
    ])
    expect(readdirSync(root).sort()).to.deep.equal(['dir', 'file', 'link'])
    expect(readdirSync(`${root}/dir`)).to.deep.equal([])
  })

  it('a file and a link to it change places', async () => {
    writeFileSync(`${root}/here`, 'text')
    symlinkSync('here', `${root}/there`)
    await made(link(`${root}/here`, { target: 'there' }), file(`${root}/there`, 'text', rig.own))
    expect([readlinkSync(`${root}/here`), readFileSync(`${root}/there`, 'utf8')]).to.deep.equal([
      'there',
      'text',
    ])
  })

  it('what is absent is kept elsewhere', async function () {
    if (!rig.machine.isPrivate) this.skip()
    mkdirSync(`${root}/dir/deep`, { recursive: true })
    writeFileSync(`${root}/dir/deep/file`, 'precious')
    expect(await made(absent(`${root}/dir`), absent(`${root}/not there`))).to.deep.equal(['changed', 'ok'])
    expect(existsSync(`${root}/dir`)).to.equal(false)
    // Looked at through the machine, whose /var/lib is its own.
    const { session, close } = await rig.open({ name: 'web1', group: 'web', address: '' }, 'look')
    const [found] = await session.run([{ script: sh`cat /var/lib/provision/removed/*/dir/deep/file` }])
    await close()
    expect(found?.stdout.toString()).to.equal('precious')
  })

  it('a release stands whole where it should, whatever its files are called', async () => {
    mkdirSync(`${root}/build/@scope/deep`, { recursive: true })
    const names = ['@scope/deep/a.js', '@root.js', '-dash', ' ', 'ünï.css']
    for (const name of names) writeFileSync(`${root}/build/${name}`, name.repeat(10_000))
    writeFileSync(`${root}/build/run`, '#!/bin/sh\n')
    chmodSync(`${root}/build/run`, 0o755)
    await made(release(`${root}/host/releases/1`, build(`${root}/build`, '')))
    for (const name of names)
      expect(readFileSync(`${root}/host/releases/1/${name}`, 'utf8')).to.equal(name.repeat(10_000))
    expect(mode(`${root}/host/releases/1/run`)).to.equal('755')
    expect(readdirSync(`${root}/host/releases`)).to.deep.equal(['1'])
  })

  it('there is no release of nothing', () => {
    expect(() => build(`${root}/missing`, 'Run the build.'))
      .to.throw(/^There is nothing to deploy at/)
      .with.property('next', 'Run the build.')
    mkdirSync(`${root}/empty/dir`, { recursive: true })
    expect(() => build(`${root}/empty`, 'Run the build.')).to.throw(/^There are no files to deploy at/)
  })
})
