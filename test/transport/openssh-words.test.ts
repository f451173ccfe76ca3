import { expect } from 'chai'
import { interactiveArguments } from '../../src/transport/openssh/interactive.ts'

describe('the arguments of an interactive ssh', () => {
  it('are those of the inventory only; ssh_config has the rest', async () => {
    expect(await interactiveArguments({ name: 'web1', host: '10.0.1.1' })).to.deep.equal(['--', '10.0.1.1'])
    const all = {
      name: 'web1',
      host: '10.0.1.1',
      user: 'deploy',
      port: 2222,
      identityFile: '/keys/a',
      connectTimeout: '2500ms',
    } as const
    expect((await interactiveArguments(all, { acceptNewHostKeys: true })).join(' ')).to.equal(
      '-l deploy -p 2222 -o IdentityFile=/keys/a -o ConnectTimeout=3 -o StrictHostKeyChecking=accept-new -- 10.0.1.1',
    )
  })

  it('use the jump hosts of the inventory in order; an empty list means none', async () => {
    const [near, next] = [
      { name: 'bastion', host: 'bastion.example.net', user: 'jump' },
      { name: 'inner', host: '10.0.0.1', port: 2200 },
    ]
    const target = { name: 'web1', host: '10.0.1.1' }
    const one = await interactiveArguments({ ...target, proxyJump: [near] })
    expect(one).to.deep.equal(['-o', "ProxyCommand=ssh -W '[%h]:%p' -l jump -- bastion.example.net", '--', '10.0.1.1'])
    const [, two = ''] = await interactiveArguments({ ...target, proxyJump: [near, next] })
    // The first ssh must not expand the tokens of the second.
    expect(two).to.equal(
      "ProxyCommand=ssh -W '[%h]:%p' -p 2200 -o 'ProxyCommand=ssh -W '\\''[%%h]:%%p'\\'' -l jump -- bastion.example.net' -- 10.0.0.1",
    )
    expect(await interactiveArguments({ ...target, proxyJump: [] })).to.deep.equal([
      '-o',
      'ProxyCommand=none',
      '--',
      '10.0.1.1',
    ])
  })
})
