import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect } from 'chai'

const ROOT = resolve(import.meta.dirname, '../..')

describe('an uncaught error', () => {
  it('is printed without secrets', function () {
    this.slow('2s')
    const directory = mkdtempSync(join(tmpdir(), 'provision-uncaught-'))
    mkdirSync(join(directory, 'node_modules'))
    symlinkSync(ROOT, join(directory, 'node_modules/provision-ts'))
    writeFileSync(
      join(directory, 'site.ts'),
      `import { secret } from 'provision-ts'
      const value = secret.of('open sesame').reveal()
      Promise.reject(new Error('it is ' + value))
      await new Promise((done) => setTimeout(done, 600_000))`,
    )
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(ROOT, 'bin/provision.js'), '-i', 'site.ts', './site.ts', '--no-type-check'],
      { cwd: directory, encoding: 'utf8' },
    )
    rmSync(directory, { recursive: true })
    expect(status, stderr).to.equal(70)
    expect(stderr).to.include('it is ***').and.not.include('sesame')
  })

  it('does not occur when the reader of a pipe exits', function () {
    this.slow('2s')
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', '"$0" "$1" --help | true; echo "${PIPESTATUS[0]}"', process.execPath, join(ROOT, 'bin/provision.js')],
      { encoding: 'utf8' },
    )
    expect(stderr).to.equal('')
    expect(stdout.trimEnd().split('\n').at(-1)).to.equal('0')
  })
})
