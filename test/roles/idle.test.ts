import { expect } from 'chai'
import { app } from '../../roles/app/index.ts'
import { base } from '../../roles/base/index.ts'
import { keepalived } from '../../roles/keepalived/index.ts'
import { nginx } from '../../roles/nginx/index.ts'
import { build } from '../../src/resources/releases/release.ts'
import { Secret } from '../../src/shell/secret.ts'
import { converge, fakeHost } from '../../src/testing/index.ts'

const built = build(import.meta.dirname, 'It is this folder.')
const roles = {
  base: base({}),
  keepalived: keepalived({
    vip: '10.0.0.10/24',
    priority: 250,
    address: '10.0.0.11',
    peers: [{ address: '10.0.0.12', priority: 240 }],
  }),
  nginx: nginx({
    domain: 'notes.test',
    listen: { address: '10.0.1.1', port: 8080 },
    upstreams: [{ address: '10.0.2.1', port: 3000 }],
    balancers: [{ address: '10.0.0.11' }],
    site: built,
  }),
  app: app({
    name: 'notes',
    start: ['node', 'server.mjs'],
    release: built,
    listen: { address: '10.0.2.1', port: 3000 },
    databases: [{ address: '10.0.3.1' }],
    database: {
      name: 'notes',
      user: 'notes',
      password: new Secret(() => 'a password of this test'),
      authority: '-----BEGIN CERTIFICATE-----\n',
    },
  }),
}

describe('on a fake host, as in the tests of a user', () => {
  for (const [name, steps] of Object.entries(roles))
    it(`role ${name} plans changes, and none the second time`, async () => {
      const host = fakeHost()
      expect((await converge(steps, host)).plan).not.to.deep.equal([])
      expect((await converge(steps, host)).plan).to.deep.equal([])
    })
})
