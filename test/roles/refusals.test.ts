import { expect } from 'chai'
import { type AppParams, app } from '../../roles/app/index.ts'
import { type HaproxyParams, haproxy } from '../../roles/haproxy/index.ts'
import { certificateBundle } from '../../roles/haproxy/lib/certificate.ts'
import { type KeepalivedParams, keepalived } from '../../roles/keepalived/index.ts'
import { type NginxParams, nginx } from '../../roles/nginx/index.ts'
import { type UpstreamParams, upstream } from '../../roles/upstream/index.ts'
import type { KeyPair } from '../../src/model/inventory/fields.ts'
import { issueAuthority, issueLeaf } from '../../src/pki/issue.ts'
import { Secret } from '../../src/shell/secret.ts'
import { wordsOf } from '../support/words.ts'
import { stepsOf } from './expanded.ts'

const WEB = [
  { name: 'web1', address: '10.0.1.1', port: 8080 },
  { name: 'web2', address: '10.0.1.2', port: 8080 },
]
const [FIRST = { name: '', address: '', port: 0 }] = WEB
const YEAR = 366 * 86_400_000

/** The full message for invalid params of each role of the tiers before the database. */
describe('errors of the params of a role', () => {
  let own: KeyPair
  let another: KeyPair

  before(async () => {
    const issuer = await issueAuthority('test')
    const pair = async (name: string) => {
      const { certificate, key } = await issueLeaf(issuer, { names: [name], addresses: [] })
      return { certificate, key: new Secret(() => key) }
    }
    own = await pair('notes.test')
    another = await pair('other.test')
  })

  const balancer = (more: Partial<HaproxyParams> = {}) =>
    stepsOf(haproxy({ domain: 'notes.test', certificate: own, servers: WEB, vip: '10.0.0.10/24', ...more }))
  const moving = (more: Partial<KeepalivedParams> = {}, facts = {}) =>
    stepsOf(
      keepalived({
        ...{ vip: '10.0.0.10/24', priority: 250, address: '10.0.0.1' },
        ...{ peers: [{ address: '10.0.0.2', priority: 240 }], ...more },
      }),
      facts,
    )
  const withoutPages = (more: Partial<NginxParams> = {}) =>
    stepsOf(
      nginx({
        ...{ domain: 'notes.test', listen: FIRST, upstreams: WEB, balancers: [{ address: '10.0.0.1' }] },
        ...more,
      }),
    )
  const web = (more: Partial<NginxParams> = {}) =>
    withoutPages({ site: { directory: '/build/public', id: 'abc123' }, ...more })
  const spread = (more: Partial<UpstreamParams> = {}) =>
    stepsOf(upstream({ name: 'app', servers: WEB, path: '/livez', ...more }))
  const service = (more: Partial<AppParams> = {}) =>
    stepsOf(
      app({
        ...{
          name: 'notes',
          start: ['node', 'server.mjs'],
          release: { directory: '/build/app', id: 'abc123' },
          listen: { address: '10.0.2.1', port: 3000 },
        },
        ...{ databases: [{ address: '10.0.3.1' }] },
        database: {
          name: 'notes',
          user: 'notes',
          password: new Secret(() => 'app-password'),
          authority: 'x',
        },
        ...more,
      }),
    )

  const CASES: Readonly<Record<string, readonly [given: () => unknown, text: string | RegExp]>> = {
    'an application without a command': [
      () => service({ start: [] }),
      `error: notes has no command.
   at role app, start
   Write the program and its arguments: ['node', 'server.mjs'].`,
    ],
    'several processes of a program that is not Node.js': [
      () => service({ start: ['./server'], processes: 2 }),
      `error: notes cannot have 2 processes on one port, because it is not started with node.
   at role app, processes
   Set 1, and let the program start its own processes.`,
    ],
    'a worker and a job of one name': [
      () => service({ workers: { mail: { start: ['a'] } }, jobs: { mail: { start: ['a'], at: 'daily' } } }),
      `error: notes has two units with the name notes-mail.
   at role app, workers
   Give workers and jobs different names. The name migrate is for the migration.`,
    ],
    'nginx that forwards all paths and has static files': [
      () => web({ paths: ['/'] }),
      `error: nginx cannot forward all paths and serve static files.
   at role nginx, paths
   Name the paths of the application, or leave the static files out.`,
    ],
    'nginx with a static page at the path of readiness': [
      () => web({ ready: '/' }),
      `error: nginx cannot forward / to the application, because a static file answers it.
   at role nginx, ready
   Name another path of the application.`,
    ],
    'nginx without paths and static files': [
      () => withoutPages({ paths: [] }),
      `error: nginx has no paths to forward and no static files.
   at role nginx, paths
   Name the paths of the application, or leave them out for all.`,
    ],
    'haproxy without a server': [
      () => balancer({ servers: [] }),
      `error: haproxy has no servers.
   at role haproxy, servers
   Add at least one web server.`,
    ],
    'haproxy with two servers of one name': [
      () => balancer({ servers: [FIRST, FIRST] }),
      `error: haproxy has two servers with the name web1.
   at role haproxy, servers
   Give each server a unique name.`,
    ],
    'haproxy with admins that are no network': [
      () => balancer({ admin: { address: '10.0.0.1', from: ['10.0.0.0'] } }),
      `error: "10.0.0.0" is not a network.
   at role haproxy, admin.from
   Write it with its prefix length: 10.0.0.0/8.`,
    ],
    'a certificate for another name': [
      () => balancer({ certificate: another }),
      `error: The certificate for notes.test is not valid for that name but for DNS:other.test
   at role haproxy, certificate
   Use a certificate for the domain, or correct the domain.`,
    ],
    'a certificate with the key of another': [
      () => balancer({ certificate: { ...own, key: another.key } }),
      `error: The certificate for notes.test does not match its key
   at role haproxy, certificate
   Use the key that the certificate was issued for.`,
    ],
    'a certificate that has run out': [
      () => certificateBundle(own, 'notes.test', Date.now() + YEAR),
      /^error: The certificate for notes\.test expired at \w{3} [\d :]+ GMT\n {3}at certificate\n {3}Renew it, then run the same command again\.$/,
    ],
    'a certificate of the days to come': [
      () => certificateBundle(own, 'notes.test', Date.now() - YEAR),
      /^error: The certificate for notes\.test is not valid before \w{3} [\d :]+ GMT\n {3}at certificate\n {3}Check the clock of this machine\.$/,
    ],
    'a certificate that is no PEM': [
      () => balancer({ certificate: { ...own, certificate: 'notes.pem' } }),
      `error: The certificate cannot be read.
   at role haproxy, certificate
   Give it as PEM: the certificate of the domain first, then its chain.`,
    ],
    'a key that is no PEM': [
      () => balancer({ certificate: { ...own, key: new Secret(() => 'notes.key') } }),
      `error: The certificate's key cannot be read.
   at role haproxy, certificate.key
   Give it as PEM without a passphrase.`,
    ],
    'keepalived with a priority that it cannot weigh': [
      () => moving({ priority: 255 }),
      `error: keepalived cannot use a priority of 255 for 10.0.0.1.
   at role keepalived, priority
   Set an integer from 1 to 254. Is the host a balancer?`,
    ],
    'keepalived without a peer': [
      () => moving({ peers: [] }),
      `error: keepalived has no peers.
   at role keepalived, peers
   Add the other balancers.`,
    ],
    'keepalived as its own peer': [
      () => moving({ peers: [{ address: '10.0.0.1', priority: 240 }] }),
      `error: keepalived's peers include the host itself: 10.0.0.1.
   at role keepalived, peers
   Add only the others.`,
    ],
    'keepalived with the priority of a peer': [
      () => moving({ priority: 240 }),
      `error: 10.0.0.1 and 10.0.0.2 have the same priority, 240, so both would hold the virtual IP address.
   at role keepalived, priority
   Give each balancer a different priority.`,
    ],
    'keepalived with the address of a balancer to move': [
      () => moving({ vip: '10.0.0.2/24' }),
      `error: 10.0.0.2/24 is the address of a balancer.
   at role keepalived, vip
   Use an address that belongs to no host.`,
    ],
    'keepalived with a check that is no URL': [
      () => moving({ checkUrl: "http://localhost/' || reboot" }),
      `error: The check cannot request "http://localhost/' || reboot".
   at role keepalived, checkUrl
   Use a URL that starts with http://.`,
    ],
    'keepalived on an interface that the host has not': [
      () => moving({ interface: 'eth7' }, { interfaces: ['lo', 'eth0'] }),
      `error: The host has no interface eth7.
   at role keepalived, interface
   It has lo, eth0.`,
    ],
    'nginx with a limit of nothing': [
      () => web({ rate: 0 }),
      `error: nginx cannot limit requests to 0 per second.
   at role nginx, rate
   Set an integer of 1 or more, or leave it out for no limit.`,
    ],
    'nginx without the application': [
      () => web({ upstreams: [] }),
      `error: nginx has no application servers.
   at role nginx, upstreams
   Add at least one application server.`,
    ],
    'nginx without a balancer': [
      () => web({ balancers: [] }),
      `error: nginx has no balancers.
   at role nginx, balancers
   Add at least one balancer.`,
    ],
    'upstream without a server': [
      () => spread({ servers: [] }),
      `error: app has no servers.
   at role upstream, servers
   Add at least one.`,
    ],
    'upstream with two servers of one name': [
      () => spread({ servers: [FIRST, FIRST] }),
      `error: app has two servers with the name web1.
   at role upstream, servers
   Give each server a unique name.`,
    ],
    'upstream with a path that is none': [
      () => spread({ path: 'livez' }),
      `error: "livez" is not a path.
   at role upstream, path
   Start it with a slash.`,
    ],
    'app with a name that no user can have': [
      () => service({ name: 'My Notes' }),
      `error: "My Notes" is not a valid user name.
   at role app, name
   Use lower-case letters, digits and dashes.`,
    ],
    'app without a database': [
      () => service({ databases: [] }),
      `error: notes has no databases.
   at role app, databases
   Add all hosts that may be the primary.`,
    ],
    'app with its metrics where it serves': [
      () => service({ metrics: { address: '10.0.2.1', port: 3000 } }),
      `error: notes cannot use the same port for requests and metrics.
   at role app, metrics
   Use another port for metrics.`,
    ],
  }

  for (const [what, [given, text]] of Object.entries(CASES))
    it(`name the param and the next action: ${what}`, async () => {
      const words = await wordsOf(given)
      if (text instanceof RegExp) expect(words).to.match(text)
      else expect(words).to.equal(text)
    })

  it('do not occur for valid params', () => {
    for (const given of [balancer, moving, web, spread, service]) expect(given()).not.to.be.empty
  })
})
