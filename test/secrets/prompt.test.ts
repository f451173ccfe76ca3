import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { quote } from '../../src/shell/sh.ts'

const SOURCES = resolve(import.meta.dirname, '../../src/secrets/sources.ts')

describe('a secret from a prompt', () => {
  const directory = mkdtempSync(join(tmpdir(), 'provision-prompt-'))
  const program = join(directory, 'ask.mts')

  before(function () {
    if (spawnSync('script', ['-qec', 'true', '/dev/null']).status !== 0) this.skip()
    writeFileSync(
      program,
      `import { secret } from ${JSON.stringify(SOURCES)}
      const password = secret.prompt('Password of the replicas')
      console.log('before')
      try {
        const values = [password.reveal(), password.map((text) => text + '!').reveal()]
        console.log('got ' + JSON.stringify(values.map((text) => [...text].reverse().join(''))))
      } catch (error) {
        for (let i = 0; i < 2; i++) try { password.reveal() } catch (again) { console.log(again === error ? again.message : 'another') }
      }`,
    )
  })
  after(() => rmSync(directory, { recursive: true }))

  const command = `${quote(process.execPath)} --import tsx ${quote(program)}`

  /** Types in a terminal when it is asked. @returns the screen output */
  const type = (keys: string): Promise<string> => {
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] })
    let shown = ''
    let typed = false
    return new Promise((done, failed) => {
      terminal.stdout.on('data', (chunk: Buffer) => {
        shown += chunk
        if (typed || !shown.includes('replicas: ')) return
        typed = true
        terminal.stdin.write(keys)
      })
      terminal.once('error', failed).once('close', () => done(shown))
    })
  }

  it('is typed without echo, once, at its first use', async () => {
    const shown = await type('hunter3\x7f2\r')
    expect(shown)
      .to.match(/^before/)
      .and.include('got ["2retnuh","!2retnuh"]')
    expect(shown).not.to.include('hunter')
    expect(shown.split('replicas:')).to.have.lengthOf(2)
  })

  it('is not asked for again after it was refused', async () => {
    const shown = await type('hun\x03')
    expect(shown.match(/"Password of the replicas" was not given/g)).to.have.lengthOf(2)
    expect(shown.split('replicas:')).to.have.lengthOf(2)
  })

  it('is refused without a terminal, with its name', () => {
    const { stdout } = spawnSync('setsid', ['-w', 'sh', '-c', `${command} </dev/null`], { encoding: 'utf8' })
    expect(stdout).to.include('The secret "Password of the replicas" needs a terminal to ask for it, and there is none')
  })
})
