import { spawnSync } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { transports } from '../../src/api/sessions.ts'
import { thrown } from '../transport/helpers.ts'

describe('the transport of a host', () => {
  const web1 = { name: 'web1' }

  it('is that of the inventory, of the command line or ssh2; hosts share one instance', async () => {
    const withLocal = transports({}, 'local')
    const local = await withLocal(web1)
    expect(await withLocal({ name: 'web2', ssh: { transport: 'local' } })).to.equal(local)
    expect(await withLocal({ name: 'web3', ssh: { transport: 'ssh2' } })).to.not.equal(local)
    const withoutOption = transports({})
    expect(await withoutOption(web1)).to.equal(await withoutOption({ name: 'web2', ssh: { transport: 'ssh2' } }))
  })

  it('is rejected if unknown', async () => {
    const ssh = JSON.parse('{ "transport": "telnet" }') as object
    const problem = await thrown(Promise.resolve().then(() => transports({})({ ...web1, ssh })))
    expect(String(problem)).to.equal('Problem: web1: unknown transport "telnet"')
  })

  it('runs commands on this machine if it is local, with the environment of a login', async () => {
    const connection = await (await transports({}, 'local')(web1)).connect({
      name: 'web1',
      host: '192.0.2.1',
    })
    process.env['PROVISION_TEST_CANARY'] = 'canary'
    const remote = await connection.start('env; pwd')
    const said = await text(remote.stdout)
    delete process.env['PROVISION_TEST_CANARY']
    expect(said)
      .to.match(/^HOME=\/.+$/m)
      .and.match(/\n\/\n$/)
      .and.not.include('canary')
    await connection.close()
  })

  it('loads ssh2 only if it is used', () => {
    const file = JSON.stringify(`${import.meta.dirname}/../../src/api/sessions.ts`)
    const loaded = (name: string) => {
      const code = `
        import { createRequire } from 'node:module'
        import { transports } from ${file}
        await transports({}, '${name}')({ name: 'web1' })
        console.log(Object.keys(createRequire(${file}).cache).some((path) => path.includes('/ssh2/')))`
      const words = ['--import', 'tsx', '--input-type', 'module', '-e', code]
      return spawnSync(process.execPath, words, { encoding: 'utf8' }).stdout.trim()
    }
    expect(['ssh2', 'openssh', 'local'].map(loaded)).to.deep.equal(['true', 'false', 'false'])
  })
})
