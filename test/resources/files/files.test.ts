import { execFileSync } from 'node:child_process'
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
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import type { Steps } from '../../../src/model/playbook/steps.ts'
import { absent } from '../../../src/resources/files/absent.ts'
import { directory } from '../../../src/resources/files/directory.ts'
import { file } from '../../../src/resources/files/file.ts'
import { link } from '../../../src/resources/files/link.ts'
import { build, release } from '../../../src/resources/releases/release.ts'
import { transaction } from '../../../src/resources/transaction/transaction.ts'
import { Secret } from '../../../src/shell/secret.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig } from '../../support/rig.ts'

describe('kinds of files on a real file system', () => {
  const rig = ownRig()

  /** Applies the steps; the engine checks that they have converged. */
  const made = async (...steps: readonly Steps[]) => {
    const { problems, reported } = await rig.run((web) => [play('web', { hosts: web }, () => steps)])
    expect(problems).to.deep.equal([])
    return reported.map((line) => line.split(' ')[1])
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
      it(`contains ${what}`, async () => {
        await made(file(`${rig.root}/a`, content, rig.own))
        expect(readFileSync(`${rig.root}/a`).equals(Buffer.from(content))).to.equal(true)
      })

    it('is readable by all, a secret one only by its owner, whatever its old mode was', async () => {
      writeFileSync(`${rig.root}/secret`, 'old', { mode: 0o666 })
      const secret = new Secret(() => 'hunter2')
      await made(
        file(`${rig.root}/plain`, 'a', rig.own),
        file(`${rig.root}/secret`, secret, rig.own),
        file(`${rig.root}/shared`, secret, { ...rig.own, mode: '0640' }),
        file(`${rig.root}/program`, 'a', { ...rig.own, mode: '755' }),
      )
      expect(['plain', 'secret', 'shared', 'program'].map((name) => mode(`${rig.root}/${name}`))).to.deep.equal([
        '644',
        '600',
        '640',
        '755',
      ])
      expect(readFileSync(`${rig.root}/secret`, 'utf8')).to.equal('hunter2')
    })

    it('may have any name, and its directories are created', async () => {
      await made(file(`${rig.root}/new dir/it's "$HOME"\n-x`, 'a', rig.own))
      expect(readdirSync(`${rig.root}/new dir`)).to.deep.equal(['it\'s "$HOME"\n-x'])
      expect(mode(`${rig.root}/new dir`)).to.equal('755')
    })

    it('leaves no temporary file', async () => {
      await made(file(`${rig.root}/a`, 'a', rig.own))
      await made(file(`${rig.root}/a`, 'b', rig.own))
      expect(readdirSync(rig.root)).to.deep.equal(['a'])
    })

    it('leaves no temporary file and keeps the old file if the write fails', async () => {
      writeFileSync(`${rig.root}/a`, 'old')
      const { summary } = await rig.run((web) => [
        play('web', { hosts: web }, () => [file(`${rig.root}/a`, 'new', { owner: 'no-such-user' })]),
      ])
      expect(summary.hosts[0]).to.include({ failed: 1 })
      expect([readdirSync(rig.root), readFileSync(`${rig.root}/a`, 'utf8')]).to.deep.equal([['a'], 'old'])
    })

    it('is replaced, so that a program that reads the old file can finish', async () => {
      await made(file(`${rig.root}/a`, 'old', rig.own))
      const before = statSync(`${rig.root}/a`).ino
      await made(file(`${rig.root}/a`, 'new', rig.own))
      expect(statSync(`${rig.root}/a`).ino).not.to.equal(before)
    })

    it('is not replaced if only its mode changes', async () => {
      await made(file(`${rig.root}/a`, 'old', rig.own))
      const before = statSync(`${rig.root}/a`).ino
      await made(file(`${rig.root}/a`, 'old', { ...rig.own, mode: '0600' }))
      expect([statSync(`${rig.root}/a`).ino, mode(`${rig.root}/a`)]).to.deep.equal([before, '600'])
    })

    it('has owner and mode before it has content', () => {
      const programs = withoutPerl()
      const tell = 'for last; do :; done; stat -c "%s" "$last" >> $SEEN'
      for (const name of ['chmod', 'install']) {
        rmSync(`${programs}/${name}`)
        writeFileSync(`${programs}/${name}`, `#!/bin/sh\n/usr/bin/${name} "$@"; ${tell}\n`, { mode: 0o755 })
      }
      const ids = { uid: '0', gid: '0' }
      const have = {
        type: 'file',
        mode: '0644',
        owner: 'root',
        group: 'root',
        ...ids,
        size: 3,
        target: '',
      } as const
      writeFileSync(`${rig.root}/old`, 'old', { mode: 0o644 })
      for (const [name, entry] of Object.entries({ new: undefined, old: { ...have, sha256: '' } })) {
        const [write] = file(`${rig.root}/${name}`, 'secret', { ...rig.own, mode: '0600' }).apply(entry)
        execFileSync('/bin/sh', ['-c', write?.script.text ?? ''], {
          env: { PATH: programs, SEEN: `${rig.root}/seen` },
        })
        expect([readFileSync(`${rig.root}/${name}`, 'utf8'), mode(`${rig.root}/${name}`)]).to.deep.equal([
          'secret',
          '600',
        ])
      }
      expect(readFileSync(`${rig.root}/seen`, 'utf8')).to.equal('0\n0\n')
    })

    it('is the same on a host without perl', () => {
      for (const text of ['', 'a', '\n', 'a\n\n', `'"\`$(id) $HOME \\n %s`, 'ünï\r\n', 'EOF\nEND\n']) {
        const [write] = file(`${rig.root}/new`, text, { ...rig.own, mode: '0640' }).apply(undefined)
        execFileSync('/bin/sh', ['-c', write?.script.text ?? ''], { env: { PATH: withoutPerl() } })
        expect([readFileSync(`${rig.root}/new`, 'utf8'), mode(`${rig.root}/new`)]).to.deep.equal([text, '640'])
        expect(readdirSync(rig.root)).to.include('new')
        rmSync(`${rig.root}/new`)
      }
    })

    it('reports why it cannot be written, and leaves nothing', async () => {
      const { problems } = await rig.run((web) => [
        play('web', { hosts: web }, () => [file(`${rig.root}/a`, 'new', { owner: 'no-such-user' })]),
      ])
      expect(problems.join()).to.include('failed: exit status 1')
      expect(readdirSync(rig.root)).to.deep.equal([])
    })

    function withoutPerl(): string {
      const programs = rig.empty()
      for (const name of ['install', 'head', 'sync', 'mv', 'rm', 'mkdir', 'stat', 'chmod', 'chown', 'cp', 'cat', 'id'])
        symlinkSync(`/usr/bin/${name}`, `${programs}/${name}`)
      return programs
    }

    it('replaces a link and keeps the target', async () => {
      writeFileSync(`${rig.root}/other`, 'other')
      symlinkSync('other', `${rig.root}/a`)
      await made(file(`${rig.root}/a`, 'own', rig.own))
      expect(lstatSync(`${rig.root}/a`).isFile()).to.equal(true)
      expect(readFileSync(`${rig.root}/other`, 'utf8')).to.equal('other')
    })
  })

  it('a directory is created with its parents, and its contents are kept', async () => {
    await made(directory(`${rig.root}/a/b c`, { ...rig.own, mode: '0700' }))
    writeFileSync(`${rig.root}/a/b c/file`, '', { mode: 0o600 })
    await made(directory(`${rig.root}/a/b c`, { ...rig.own, mode: '2750' }))
    expect([mode(`${rig.root}/a`), mode(`${rig.root}/a/b c`), mode(`${rig.root}/a/b c/file`)]).to.deep.equal([
      '755',
      '2750',
      '600',
    ])
  })

  it('a link is created and replaced, with any target', async () => {
    mkdirSync(`${rig.root}/dir`)
    writeFileSync(`${rig.root}/file`, '')
    symlinkSync('dir', `${rig.root}/link`)
    await made(
      link(`${rig.root}/link`, { target: '-n o where' }),
      link(`${rig.root}/file`, { target: `${rig.root}/dir` }),
    )
    expect([readlinkSync(`${rig.root}/link`), readlinkSync(`${rig.root}/file`)]).to.deep.equal([
      '-n o where',
      `${rig.root}/dir`,
    ])
    expect(readdirSync(rig.root).sort()).to.deep.equal(['dir', 'file', 'link'])
    expect(readdirSync(`${rig.root}/dir`)).to.deep.equal([])
  })

  it('a file and a link to it can be swapped', async () => {
    writeFileSync(`${rig.root}/here`, 'text')
    symlinkSync('here', `${rig.root}/there`)
    await made(link(`${rig.root}/here`, { target: 'there' }), file(`${rig.root}/there`, 'text', rig.own))
    expect([readlinkSync(`${rig.root}/here`), readFileSync(`${rig.root}/there`, 'utf8')]).to.deep.equal([
      'there',
      'text',
    ])
  })

  it('a removed path is kept elsewhere', async function () {
    if (!rig.machine.isPrivate) this.skip()
    mkdirSync(`${rig.root}/dir/deep`, { recursive: true })
    writeFileSync(`${rig.root}/dir/deep/file`, 'precious')
    expect(await made(absent(`${rig.root}/dir`), absent(`${rig.root}/not there`))).to.deep.equal(['changed', 'ok'])
    expect(existsSync(`${rig.root}/dir`)).to.equal(false)
    // Read through the machine, which has its own /var/lib.
    const { session, close } = await rig.open({ name: 'web1', group: 'web', address: '' }, { lock: false })
    const [found] = await session.run([{ script: sh`cat /var/lib/provision/removed/*/dir/deep/file` }])
    await close()
    expect(found?.stdout.toString()).to.equal('precious')
  })

  it('copies a replaced file with backup, in a transaction too', async function () {
    if (!rig.machine.isPrivate) this.skip()
    const options = { ...rig.own, backup: true }
    for (const name of ['alone', 'together', 'plain']) writeFileSync(`${rig.root}/${name}`, `someone's ${name}`)
    await made(
      file(`${rig.root}/alone`, 'new', options),
      transaction('conf', [file(`${rig.root}/together`, 'new', options), file(`${rig.root}/plain`, 'new', rig.own)]),
    )
    const { session, close } = await rig.open({ name: 'web1', group: 'web', address: '' }, { lock: false })
    const [found] = await session.run([
      { script: sh`cd /var/lib/provision/removed && cat */alone */together; ls -d */plain 2>/dev/null` },
    ])
    await close()
    expect(found?.stdout.toString()).to.equal("someone's alonesomeone's together")
  })

  it('a release is complete, with any names of files', async () => {
    mkdirSync(`${rig.root}/build/@scope/deep`, { recursive: true })
    const names = ['@scope/deep/a.js', '@root.js', '-dash', ' ', 'ünï.css']
    for (const name of names) writeFileSync(`${rig.root}/build/${name}`, name.repeat(10_000))
    writeFileSync(`${rig.root}/build/run`, '#!/bin/sh\n')
    chmodSync(`${rig.root}/build/run`, 0o755)
    chmodSync(`${rig.root}/build/-dash`, 0o600)
    mkdirSync(`${rig.root}/build/uploads`)
    symlinkSync('run', `${rig.root}/build/start`)
    await made(release(`${rig.root}/host/releases/1`, build(`${rig.root}/build`, '')))
    for (const name of names)
      expect(readFileSync(`${rig.root}/host/releases/1/${name}`, 'utf8')).to.equal(name.repeat(10_000))
    expect(mode(`${rig.root}/host/releases/1/run`)).to.equal('755')
    expect(mode(`${rig.root}/host/releases/1/-dash`)).to.equal('644')
    expect(readdirSync(`${rig.root}/host/releases/1/uploads`)).to.deep.equal([])
    expect(readlinkSync(`${rig.root}/host/releases/1/start`)).to.equal('run')
    expect(readdirSync(`${rig.root}/host/releases`)).to.deep.equal(['1'])
  })

  it('rejects a build that is missing or has no files', () => {
    expect(() => build(`${rig.root}/missing`, 'Run the build.'))
      .to.throw(/^There is no build at/)
      .with.property('next', 'Run the build.')
    mkdirSync(`${rig.root}/empty/dir`, { recursive: true })
    expect(() => build(`${rig.root}/empty`, 'Run the build.')).to.throw(/^The build at .* has no files$/)
  })
})
