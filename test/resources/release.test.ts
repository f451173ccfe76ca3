import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect } from 'chai'
import { build, release } from 'provision-ts'

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
  /** Unpacks it for real, and gives the path it is at. */
  const unpacked = async (from: string) => {
    const one = build(from, 'build it')
    const path = `${root}/on-host/${one.id}` as const
    for (const { script, input } of release(path, one).apply(undefined)) {
      if (!input || !('open' in input)) throw new Error('nothing is sent')
      const pieces: Uint8Array[] = []
      for await (const piece of (await input.open()).pieces) pieces.push(piece)
      expect(spawnSync('sh', ['-c', script.text], { input: Buffer.concat(pieces) }).status).to.equal(0)
    }
    return path
  }
  const time = (path: string) => statSync(path).mtimeMs

  it('stands on the host as it was built', async () => {
    const path = await unpacked(built('a', { 'index.html': 'one', 'deep/er/app.js': 'two' }))
    expect(readFileSync(join(path, 'index.html'), 'utf8')).to.equal('one')
    expect(readFileSync(join(path, 'deep/er/app.js'), 'utf8')).to.equal('two')
  })

  it('has the same id and files however its path is written', () => {
    const plain = built('a', { 'deep/app.js': 'two' })
    const [straight, crooked] = [build(plain, ''), build(`${relative('.', plain)}/../a/`, '')]
    expect(crooked).to.deep.equal(straight)
  })

  it('gives a file a time that only its content decides, so that an ETag made of it can be trusted', async () => {
    const first = await unpacked(built('a', { 'same.css': 'x', 'other.css': '1' }))
    const second = await unpacked(built('b', { 'same.css': 'x', 'other.css': '2' }))
    expect(time(`${first}/same.css`)).to.equal(time(`${second}/same.css`))
    expect(time(`${first}/other.css`)).not.to.equal(time(`${second}/other.css`))
    expect(time(`${first}/other.css`)).to.be.lessThan(Date.now())
  })
})
