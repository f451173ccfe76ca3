import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { expect } from 'chai'
import { build, release } from 'provision-ts'
import { Problem } from '../../../src/model/problem.ts'
import { plain, showProblem } from '../../../src/report/problem.ts'

describe('release', () => {
  let root: `/${string}`

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'provision-release-')) as `/${string}`
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const built = (name: string, files: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, name, path, '..'), { recursive: true })
      writeFileSync(join(root, name, path), text)
    }
    return join(root, name)
  }
  /** Unpacks the release and returns its path. */
  const unpacked = async (from: string) => {
    const one = build(from, 'build it')
    const path = `${root}/on-host/${one.id}` as const
    for (const { script, input } of release(path, one).apply(undefined)) {
      if (!input || !('open' in input)) throw new Error('nothing is sent')
      const pieces: Uint8Array[] = []
      for await (const piece of (await input.open()).pieces) pieces.push(piece)
      expect(spawnSync('sh', ['-c', `umask 077; ${script.text}`], { input: Buffer.concat(pieces) }).status).to.equal(0)
    }
    return path
  }
  const time = (path: string) => statSync(path).mtimeMs

  it('is on the host as it was built', async () => {
    const path = await unpacked(built('a', { 'index.html': 'one', 'deep/er/app.js': 'two' }))
    expect(readFileSync(join(path, 'index.html'), 'utf8')).to.equal('one')
    expect(readFileSync(join(path, 'deep/er/app.js'), 'utf8')).to.equal('two')
  })

  it('has the same id and files for each spelling of its path', () => {
    const plain = built('a', { 'deep/app.js': 'two' })
    const [straight, crooked] = [build(plain, ''), build(`${relative('.', plain)}/../a/`, '')]
    expect(crooked).to.deep.equal(straight)
  })

  it('derives the time of a file from its content, so that ETags are equal on all hosts', async () => {
    const first = await unpacked(built('a', { 'same.css': 'x', 'other.css': '1' }))
    const second = await unpacked(built('b', { 'same.css': 'x', 'other.css': '2' }))
    expect(time(`${first}/same.css`)).to.equal(time(`${second}/same.css`))
    expect(time(`${first}/other.css`)).not.to.equal(time(`${second}/other.css`))
    expect(time(`${first}/other.css`)).to.be.lessThan(Date.now())
  })

  /** Creates a link and its directories. */
  const linked = (path: string, target: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    symlinkSync(target, join(root, path))
  }
  const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8)
  /** The error, with BUILD in place of the directory. */
  const refusal = (from: string): string => {
    try {
      build(from, '')
    } catch (error) {
      if (error instanceof Problem) return showProblem(error, plain).replaceAll(from, 'BUILD')
      throw error
    }
    return 'it was accepted'
  }

  it('has the links, empty directories and modes of the build, independent of the umask', async () => {
    const from = built('a', {
      'node_modules/x/cli.js': '#!/usr/bin/env node',
      'private.txt': 'p',
      'dir/page.html': 'h',
    })
    linked('a/node_modules/.bin/x', '../x/cli.js')
    linked('a/linkdir', 'dir')
    linked('a/python', '/usr/bin/python3')
    linked('a/later', 'is-not-there-yet')
    mkdirSync(join(from, 'uploads/2024'), { recursive: true })
    for (const path of ['private.txt', 'dir/page.html']) chmodSync(join(from, path), 0o600)
    chmodSync(join(from, 'dir'), 0o700)
    chmodSync(join(from, 'node_modules/x/cli.js'), 0o700)

    const path = await unpacked(from)
    expect(readlinkSync(join(path, 'node_modules/.bin/x'))).to.equal('../x/cli.js')
    expect(readFileSync(join(path, 'node_modules/.bin/x'), 'utf8')).to.equal('#!/usr/bin/env node')
    expect(readFileSync(join(path, 'linkdir/page.html'), 'utf8')).to.equal('h')
    expect(readlinkSync(join(path, 'python'))).to.equal('/usr/bin/python3')
    expect(readlinkSync(join(path, 'later'))).to.equal('is-not-there-yet')
    const modes = {
      '.': '755',
      dir: '755',
      'uploads/2024': '755',
      'private.txt': '644',
      'dir/page.html': '644',
      'node_modules/x/cli.js': '755',
    }
    for (const [name, is] of Object.entries(modes)) expect(mode(join(path, name)), name).to.equal(is)
  })

  it('runs with the node_modules of pnpm', async () => {
    const dependency = 'node_modules/.pnpm/dep@1.0.0/node_modules/dep'
    const from = built('a', {
      'main.js': "console.log(require('dep'))",
      [`${dependency}/package.json`]: '{ "name": "dep", "version": "1.0.0" }',
      [`${dependency}/index.js`]: "module.exports = require('deeper')",
      'node_modules/.pnpm/deeper@2.0.0/node_modules/deeper/index.js': "module.exports = 'it runs'",
    })
    linked('a/node_modules/dep', '.pnpm/dep@1.0.0/node_modules/dep')
    linked('a/node_modules/.pnpm/dep@1.0.0/node_modules/deeper', '../../deeper@2.0.0/node_modules/deeper')
    // pnpm uses hard links for files of several packages.
    linkSync(join(from, dependency, 'index.js'), join(from, dependency, 'same.js'))
    const path = await unpacked(from)
    rmSync(from, { recursive: true })
    const { stdout, stderr } = spawnSync(process.execPath, [join(path, 'main.js')], { encoding: 'utf8' })
    expect(stdout, stderr).to.equal('it runs\n')
    expect(readFileSync(join(path, dependency, 'same.js'), 'utf8')).to.include('deeper')
  })

  it('has another id for another link, mode or empty directory, and the same id for an equal build', () => {
    const from = built('a', { 'run.sh': '', 'index.html': 'one' })
    linked('a/current', 'index.html')
    const ids = [build(from, '').id]
    const next = (change: () => void): string => {
      change()
      const { id } = build(from, '')
      ids.push(id)
      return id
    }
    next(() => mkdirSync(join(from, 'uploads')))
    next(() => chmodSync(join(from, 'run.sh'), 0o755))
    next(() => {
      rmSync(join(from, 'current'))
      linked('a/current', 'run.sh')
    })
    next(() => {
      rmSync(join(from, 'current'))
      writeFileSync(join(from, 'current'), '')
    })
    expect(new Set(ids).size).to.equal(5)
    const last = ids.at(-1)
    expect(next(() => chmodSync(join(from, 'index.html'), 0o600))).to.equal(last)
    expect(next(() => utimesSync(join(from, 'index.html'), 1, 1))).to.equal(last)
  })

  it('rejects a build with entries that cannot be sent, and lists them', () => {
    const from = built('a', { 'index.html': 'one' })
    linked('a/deep/out', '../../secret')
    linked('a/whole', join(from, 'index.html'))
    linked('a/far', '..')
    expect(spawnSync('mkfifo', [join(from, 'pipe')]).status).to.equal(0)
    expect(refusal(from)).to.equal(`error: BUILD has entries that cannot be sent to hosts.
   deep/out: it links to ../../secret, which is outside of the directory
   far: it links to .., which is outside of the directory
   pipe: it is a fifo
   whole: it links to BUILD/index.html, a path of this machine; make the link relative
   Exclude them from the build, or replace them by regular files. Nothing was changed on any host.`)
  })

  it('rejects names that are not UTF-8, and lists at most five', () => {
    const from = built('a', { 'index.html': 'one' })
    for (let i = 1; i <= 7; i++) writeFileSync(Buffer.concat([Buffer.from(`${from}/${i}`), Buffer.from([0xe9])]), '')
    expect(refusal(from)).to.match(/ {3}1\uFFFD: its name is not UTF-8\n(.*\n){4} {3}… and 2 more\n/)
  })

  it('does not send a build that has changed since it was hashed', async () => {
    const from = built('a', { 'index.html': 'one' })
    const one = build(from, '')
    writeFileSync(join(from, 'index.html'), 'another')
    const [command] = release(`${root}/on-host`, one).apply(undefined)
    if (!command?.input || !('open' in command.input)) throw new Error('nothing is sent')
    const opened = await command.input.open().then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(
      opened instanceof Problem && showProblem(opened, plain),
    ).to.equal(`error: ${from}/index.html changed during the run
   Run the same command again.`)
    expect(existsSync(`${root}/on-host`)).to.equal(false)
  })
})
