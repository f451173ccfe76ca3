import { rmSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { secret } from '../../src/secrets/sources.ts'
import { temporary } from '../support/rig.ts'
import { wordsOf } from '../support/words.ts'

describe('a secret', () => {
  const root = temporary()
  after(() => rmSync(root, { recursive: true }))
  const written = (text: string) => {
    writeFileSync(`${root}/secret`, text)
    return secret.file(`${root}/secret`)
  }

  it('comes from the environment, with instructions if it is not set', async () => {
    const name = 'PROVISION_TEST_SECRET'
    delete process.env[name]
    expect(await wordsOf(() => secret.env(name).reveal())).to.equal(`error: The secret $${name} is not set
   Set it for this command: ${name}=… provision …`)
    process.env[name] = 'from the environment'
    expect(secret.env(name).reveal()).to.equal('from the environment')
    delete process.env[name]
  })

  it('comes from a file without the trailing line break', async () => {
    expect(written(' two\nlines \n').reveal()).to.equal(' two\nlines ')
    expect(written('pa55word\r\n').reveal()).to.equal('pa55word')
    expect(written('two words\n\n').reveal()).to.equal('two words\n')
    expect(
      (await wordsOf(() => secret.file(`${root}/missing`).reveal())).replaceAll(root, 'DIR'),
    ).to.equal(`error: The secret file DIR/missing cannot be read: ENOENT: no such file or directory, open 'DIR/missing'
   Give its path, relative to where the command is run.`)
  })

  it('comes from a program that gets its arguments unchanged', async () => {
    expect(secret.command('printf', '%s\\n', `it's $HOME`).reveal()).to.equal(`it's $HOME`)
    const tried = (...[program, ...args]: readonly [string, ...string[]]) =>
      wordsOf(() => secret.command(program, ...args).reveal())
    expect(
      await tried('false', 'a'),
    ).to.equal(`error: The secret of "false a" could not be read: Command failed: false a
   Run the program yourself: it must print the secret and exit with status 0.`)
    expect(
      await tried('no-such-program'),
    ).to.equal(`error: The secret of "no-such-program" could not be read: spawnSync no-such-program ENOENT
   Run the program yourself: it must print the secret and exit with status 0.`)
  })

  it('is built from others without revealing them early', () => {
    let asked = 0
    const password = secret.of('hunter2').map((value) => {
      asked++
      return value
    })
    const line = secret.text`user=${'app'} password=${password} port=${5432}`
    expect([asked, JSON.stringify(line)]).to.deep.equal([0, '"***"'])
    expect([line.reveal(), line.reveal(), asked]).to.deep.equal([
      'user=app password=hunter2 port=5432',
      'user=app password=hunter2 port=5432',
      1,
    ])
  })
})
