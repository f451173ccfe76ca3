import { rmSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { Problem } from '../../src/model/problem.ts'
import { secret } from '../../src/secrets/sources.ts'
import { temporary } from '../support/rig.ts'

describe('a secret', () => {
  const root = temporary()
  after(() => rmSync(root, { recursive: true }))
  const written = (text: string) => {
    writeFileSync(`${root}/secret`, text)
    return secret.file(`${root}/secret`)
  }

  it('comes from the environment, and says how to give it when it is not there', () => {
    const name = 'PROVISION_TEST_SECRET'
    delete process.env[name]
    expect(() => secret.env(name).reveal())
      .to.throw(Problem, `The secret $${name} is not set`)
      .with.property('next', `Set it for this command: ${name}=… provision …`)
    process.env[name] = 'from the environment'
    expect(secret.env(name).reveal()).to.equal('from the environment')
    delete process.env[name]
  })

  it('comes from a file without the line break at its end', () => {
    expect(written(' two\nlines \n').reveal()).to.equal(' two\nlines ')
    expect(written('pa55word\r\n').reveal()).to.equal('pa55word')
    expect(written('two words\n\n').reveal()).to.equal('two words\n')
    expect(() => secret.file(`${root}/missing`).reveal()).to.throw(Problem, /missing cannot be read: ENOENT/)
  })

  it('comes from a program, whose words reach it as they are', () => {
    expect(secret.command('printf', '%s\\n', `it's $HOME`).reveal()).to.equal(`it's $HOME`)
    expect(() => secret.command('false', 'a').reveal()).to.throw(
      Problem,
      'The secret of "false a" could not be had: Command failed: false a',
    )
    expect(() => secret.command('no-such-program').reveal()).to.throw(Problem, 'no-such-program')
  })

  it('is made of others without being asked for before it is needed', () => {
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
