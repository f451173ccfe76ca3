import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { confirmationWait } from '../../../src/resources/transaction/transaction.ts'

describe('the wait for a confirmation', () => {
  before(function () {
    if (process.getuid?.() !== 0) this.skip()
  })
  const id = `test-${process.pid}`
  const wait = confirmationWait(id)
  const run = (script: string, env: Record<string, string>) => {
    const { status, stderr } = spawnSync('sh', ['-c', script], { env: { ...process.env, ...env } })
    return { status, said: stderr.toString() }
  }

  it('fails on the host without a new connection, after its timeout times the factor', () => {
    const began = performance.now()
    const env = { PROVISION_CONFIRM_SECONDS: '1', PROVISION_TIMEOUT_PERCENT: '300' }
    expect(run(wait.script.text, env)).to.deep.equal({
      status: 1,
      said: 'No new connection arrived within 3 s.\n',
    })
    expect(performance.now() - began).to.be.at.least(2_000)
    expect(existsSync(`/run/provision-${id}.waiting`)).to.equal(false)
  })

  it('ends with a confirmation, which is possible only during the wait', () => {
    expect(run(wait.confirm.text, {}).status).to.equal(1)
    const arrive = `until ${wait.ready.text}; do sleep 0.1; done; ${wait.confirm.text}`
    const { status, said } = run(`(${arrive}) & ( ${wait.script.text}\n)`, {
      PROVISION_CONFIRM_SECONDS: '600',
    })
    expect({ status, said }).to.deep.equal({ status: 0, said: '' })
  })
})
