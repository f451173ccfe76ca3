import { opensshTransport } from '../../src/transport/openssh/transport.ts'
import type { Target } from '../../src/transport/transport.ts'
import { conformance } from './conformance.ts'
import { noSshd, Sshd, Workshop } from './sshd.ts'

describe('sshd of this machine, with the ssh of this machine', () => {
  const why = noSshd()
  if (why) {
    it.skip(why)
    return
  }
  const shop = new Workshop()
  let sshd: Sshd
  let target: Target

  before(async () => {
    const identityFile = shop.key('me')
    shop.key('host')
    sshd = await Sshd.start({ workshop: shop, hostKeys: ['host'], users: ['me'] })
    const hostKey = shop.fingerprint('host')
    target = { name: 'web1', host: '127.0.0.1', port: sshd.port, user: 'root', identityFile, hostKey }
  })
  after(async () => {
    await sshd.stop()
    shop.dispose()
  })

  conformance('OpenSSH', () => opensshTransport({ agent: false }).connect(target))

  describe('through a jump host', () => {
    conformance('two hops of OpenSSH', () => {
      const transport = opensshTransport({ agent: false })
      return transport.connect({ ...target, proxyJump: [{ ...target, name: 'bastion' }] })
    })
  })
})
