import { spawnSync } from 'node:child_process'
import { expect } from 'chai'
import { probe, probeScript } from '../../../src/model/playbook/probe.ts'
import { sh } from '../../../src/shell/sh.ts'

describe('a probe on a host', () => {
  /** The status of a probe that always fails, and the number of its attempts. */
  const tries = (timeout: '1s' | undefined, env: Readonly<Record<string, string>>) => {
    const slow = sh`echo x >&3; sleep 0.5; false`
    const { script } = { script: probeScript(probe('never', slow, timeout === undefined ? {} : { timeout })) }
    const { output, status } = spawnSync('/bin/sh', ['-c', script.text], {
      env: { PATH: '/usr/bin:/bin', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      encoding: 'utf8',
    })
    return { status, count: output[3]?.split('\n').length ?? 0 }
  }

  it('is retried until its timeout, and then fails', () => {
    const { status, count } = tries('1s', {})
    expect(status).to.equal(1)
    expect(count).to.be.at.least(2)
  })

  it('uses the timeout of the inventory by default', () => {
    expect(tries(undefined, { PROVISION_PROBE_SECONDS: '1' }).status).to.equal(1)
  })

  it('multiplies its timeout by the factor of the run', () => {
    const script = probeScript(
      probe('third time', sh`n=$(cat ${FILE} 2>/dev/null); echo x$n > ${FILE}; [ "$n" = xx ]`, {
        timeout: '1s',
      }),
    )
    const env = { PATH: '/usr/bin:/bin', PROVISION_TIMEOUT_PERCENT: '60000' }
    expect(
      spawnSync('/bin/sh', ['-c', `rm -f ${FILE}; ${script.text}\nr=$?; rm -f ${FILE}; exit $r`], { env }).status,
    ).to.equal(0)
  })
})

const FILE = `/tmp/provision-probe-${process.pid}`
