import { expect } from 'chai'
import { type Ended, eventually, ownLab, provision } from './support.ts'

const LAB = 'test-trouble'

/** Each error is one message with the next action, and a distinct exit status; the other hosts complete their work. */
describe('errors on real hosts', function () {
  this.slow('10s')
  const own = ownLab(LAB, ['web1', 'web2'], () => ({ 'stack.ts': STACK, 'playbook.ts': PLAYBOOK }))

  /** Runs the playbook on an inventory whose second host has these settings. */
  const run = (second: string, ...args: string[]): Promise<Ended> => {
    own.desk.write('inventory.ts', inventoryOf(second))
    return own.run(args)
  }
  const motd = async (host: string) =>
    (await own.lab.exec(host, 'cat /etc/motd.d/word 2>/dev/null; rm -rf /etc/motd.d')).stdout

  it('converges both hosts without an error', async () => {
    const { code, text } = await run('...at("web2")')
    expect(code, text).to.equal(0)
    expect(await motd('web1')).to.equal('hello')
    expect(await motd('web2')).to.equal('hello')
  })

  it('names a host that cannot be reached, and completes the work on the others', async () => {
    await own.lab.kill('web2')
    // A host that is known to be off gets a short timeout.
    const { code, text } = await run('...at("web2"), timeouts: { login: "2s" }')
    await own.lab.start('web2')
    expect(code, text).to.equal(3)
    expect(text)
      .to.match(/error: .*web2/)
      .and.match(/1 host unreachable/)
    expect(stackTraces(text)).to.deep.equal([])
    expect(await motd('web1')).to.equal('hello')
  })

  it('rejects a host with a changed key, and shows both fingerprints', async () => {
    const { code, text } = await run('...at("web2", { hostKey: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" })')
    expect(code, text).to.equal(3)
    expect(text).to.include('SHA256:AAAA').and.include(own.lab.host('web2').ssh.hostKey)
    expect(await motd('web1')).to.equal('hello')
    expect(await motd('web2')).to.equal('')
  })

  it('reports a wrong sudo password, without showing it', async () => {
    const { code, text } = await run(
      '...at("web2", { user: "operator" }), become: { password: secret.of("open-sesame") }',
    )
    expect(code, text).to.not.equal(0)
    expect(text)
      .to.match(/sudo.*password/i)
      .and.include('web2')
      .and.not.include('open-sesame')
    expect(stackTraces(text)).to.deep.equal([])
    expect(await motd('web1')).to.equal('hello')
  })

  it('becomes root with the right password', async () => {
    const { code, text } = await run(
      '...at("web2", { user: "operator" }), become: { password: secret.of(lab.secret("operator")) }',
    )
    expect(code, text).to.equal(0)
    expect(await motd('web1')).to.equal('hello')
    expect(await motd('web2')).to.equal('hello')
  })

  it('names a failing step: host, role, file and line, last output of its command', async () => {
    await own.lab.exec('web2', 'touch /run/full')
    const { code, text } = await run('...at("web2")')
    await own.lab.exec('web2', 'rm /run/full')
    expect(code, text).to.equal(1)
    expect(text).to.match(/error: web2: command fill the tank \(role motd\) failed: exit status 3/)
    expect(text)
      .to.match(/playbook\.ts:\d+:\d+/)
      .and.include('the tank is full already')
    expect(text).to.match(/1 host failed; .* on 2 hosts/)
    expect(await motd('web1')).to.equal('hello')
  })

  it('locks a host for one operator, and names the operator who holds the lock', async () => {
    await own.lab.exec('web1', 'rm -f /run/filling; touch /run/hold')
    const first = run('...at("web2")', '--limit', 'web1')
    await eventually(async () => (await own.lab.exec('web1', '[ -e /run/filling ]')).code === 0)
    const { code, text } = await run('...at("web2")')
    await own.lab.exec('web1', 'rm /run/hold /run/filling')
    await first
    expect(code, text).to.not.equal(0)
    expect(text).to.match(/web1 is locked by .*pid \d+/)
    await motd('web1')
    await motd('web2')
  })

  it('is invalid input, and changes nothing, if --limit matches no host', async () => {
    const { code, text } = await run('...at("web2")', '--limit', 'wbe1')
    expect(code).to.equal(64)
    expect(text).to.include('no host or group matches "wbe1"').and.include('Did you mean "web1"')
  })

  it('is invalid input if the inventory does not match the schema, with the path of each value', async () => {
    const { code, text } = await run('...at("web2"), workers: "four"')
    expect(code).to.equal(64)
    expect(text).to.include('web.hosts.web2.workers: should be a whole number ≥ 1, got "four"')
  })

  it('is invalid input if the compiler reports an error, with file, line and column', async () => {
    own.desk.write('tsconfig.json', TSCONFIG)
    const inventory = own.desk.write('inventory.ts', inventoryOf('...at("web2"), workers: "four"'))
    const { code, text } = await provision(['--inventory', inventory, `${own.desk.directory}/playbook.ts`], {
      LAB,
    })
    expect(code, text).to.equal(64)
    expect(text).to.match(/inventory\.ts:\d+:\d+: Type 'string' is not assignable to type 'number'/)
  })

  it('is invalid input if the inventory is not valid TypeScript, with the line and a mark at the column', async () => {
    const { code, text } = await run('...at("web2",')
    expect(code).to.equal(64)
    expect(text)
      .to.match(/inventory\.ts:\d+:\d+/)
      .and.include('^')
  })

  it('is invalid input if the inventory does not exist', async () => {
    const { code, text } = await provision(['--inventory', 'nowhere.ts'])
    expect(code).to.equal(64)
    expect(text).to.include('nowhere.ts does not exist')
  })
})

function stackTraces(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => /^\s+at .*[(/].*:\d+:\d+\)?$/.test(line) && !/^\s+at \S+:\d+:\d+$/.test(line))
}

const STACK = `
import { hosts, integer, optional, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ web: hosts({ workers: optional(integer({ min: 1 })) }) })
`

const PLAYBOOK = `
import { command, file, play, playbook, role, sh } from 'provision-ts'
import { site } from './stack.ts'
const motd = role('motd', ({ word }: { readonly word: string }) => [
  file('/etc/motd.d/word', word),
  command('fill the tank', sh\`[ ! -e /run/full ] || { echo the tank is full already; exit 3; }; touch /run/filling; while [ -e /run/hold ]; do sleep 0.1; done; touch /etc/motd.d/filled\`, { creates: '/etc/motd.d/filled' }),
])
export default playbook(site, ({ web }) => [play('web', { hosts: web }, () => motd({ word: 'hello' }))])
`

function inventoryOf(second: string): string {
  return `
import { inventory, secret } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
import { site } from './stack.ts'
const lab = openLab(process.env.LAB)
const at = (name: string, other: object = {}) => {
  const { address, ssh } = lab.host(name)
  return { address, ssh: { ...ssh, ...other } }
}
void secret
export default inventory(site, { web: { hosts: { web1: at('web1'), web2: { ${second} } } } })
`
}

const TSCONFIG = JSON.stringify({
  compilerOptions: {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    customConditions: ['source'],
    types: ['node'],
    erasableSyntaxOnly: true,
  },
})
