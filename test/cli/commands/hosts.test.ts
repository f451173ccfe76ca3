import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { noTerminal, PseudoTerminal } from '../../support/terminal.ts'
import { Project } from '../project.ts'

const STACK = `import { credential, hosts, optional, port, inventorySchema } from 'provision-ts'
export const site = inventorySchema({
  web: hosts({ port, token: optional(credential) }),
  db: hosts({}, { optional: true }),
})
`
/** Two names of this machine, and an unreachable host. */
const INVENTORY = `import { inventory, secret } from 'provision-ts'
import { site } from './stack.ts'
const here = (address: string) => ({ address, ssh: { transport: 'local' as const }, become: { method: 'none' as const } })
const dead = { port: 1, user: 'deploy', hostKey: 'SHA256:${'a'.repeat(43)}' }
export default inventory(site, {
  web: {
    port: 8080,
    token: secret.of('hunter2-hunter2'),
    hosts: { web1: here('127.0.0.1'), web2: { ...here('127.0.0.2'), port: 8081 } },
  },
  db: { hosts: { db1: { address: '127.0.0.3', ssh: { ...dead, proxyJump: { host: '127.0.0.4', user: 'jump', port: 1 } } } } },
})
`
const PLAYBOOK = `import { after, ask, command, askEach, file, play, playbook, read, role, sh } from 'provision-ts'
import { site } from './stack.ts'
const motd = role('motd', ({ text }: { readonly text: string }) => [
  file('/etc/motd', text),
  command('look', sh\`true\`, { unless: sh\`true\`, tags: ['looks'] }),
])
const name = ask('its name', read(sh\`echo asked\`, ({ stdout }) => stdout.trim()))
export default playbook(site, ({ web, db }) => [
  play('web', { hosts: web }, (host) => [motd({ text: 'all' }), host.name === 'web1' && file('/etc/first', 'yes')]),
  play('database', { hosts: db }, () => [motd({ text: 'db' })]),
])
export const asking = playbook(site, ({ web }) => [
  play('asked', { hosts: web }, () => [after(askEach(web, name), (all) => all.map(({ answer }) => file(\`/tmp/\${answer ?? 'none'}\`, '')))]),
])
`
const VERIFICATION = `import { ask, check, askEach, expect, read, sh, verification } from 'provision-ts'
import { site } from './stack.ts'
const name = ask('its name', read(sh\`echo one\`, ({ stdout }) => stdout.trim()))
export default verification(site, ({ web }) => [
  web.hosts.map((host) => check(host, 'is well', host.name === 'web2'
    ? sh\`[ ! -e DIR/seen ] || { echo 'it was seen'; exit 1; }; touch DIR/seen\`
    : sh\`true\`)),
  expect('agree', askEach(web, name), () => undefined, { says: (all) => \`\${all[0]?.host.name} leads\` }),
])
`

describe('commands without a playbook', () => {
  let project: Project

  before(() => {
    project = new Project({
      'stack.ts': STACK,
      'inventory.ts': INVENTORY,
      'playbooks/site.ts': PLAYBOOK.replaceAll('./stack', '../stack'),
      'playbooks/asking.ts': "export { asking as default } from './site.ts'\n",
    })
    project.write('verify.ts', VERIFICATION.replaceAll('DIR', project.directory))
  })
  after(() => project.remove())

  const provision = (command: string, ...words: readonly string[]) =>
    project.provision(command, '-i', 'inventory.ts', '--no-type-check', ...words)
  const objects = (out: string) =>
    out
      .trim()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line))
  /** Without times. */
  const timeless = (text: string) => text.replace(/\([\d.]+ s\)/g, '(TIME)')

  describe('provision exec', () => {
    it('groups hosts with the same output, and exits with 1 if a host fails', async () => {
      const good = await provision('exec', '--grouped', 'echo one; echo "  two" >&2', '--limit', 'web')
      expect([good.code, timeless(good.out), good.err]).to.deep.equal([
        0,
        'web1, web2: ok\n    one\n      two\n2 hosts: 2 ok. (TIME)\n',
        '',
      ])
      const bad = await provision('exec', '--grouped', 'exit 3', '--limit', 'web')
      expect([bad.code, timeless(bad.out)]).to.deep.equal([
        1,
        'web1, web2: exit status 3\n2 hosts: 0 ok; 2 failed: web1, web2. (TIME)\n',
      ])
    })

    it('runs one argument in a shell, and several as they are', async () => {
      const words = await provision(
        'exec',
        '--grouped',
        '--limit',
        'web1',
        '--',
        'printf',
        '%s|',
        'a  b',
        '$HOME',
        '-n',
      )
      expect(words.out).to.include('\n    a  b|$HOME|-n|\n')
      const text = await provision('exec', '--grouped', 'printf "%s|" a  b', '--limit', 'web1')
      expect(text.out).to.include('\n    a|b|\n')
    })

    it('gives the command an empty stdin', async () => {
      const { code, out } = await provision('exec', '--grouped', 'cat; echo end', '--limit', 'web1', '--no-become')
      expect([code, timeless(out)]).to.deep.equal([0, 'web1: ok\n    end\n1 host: 1 ok. (TIME)\n'])
    })

    it('continues on the other hosts if one is unreachable, and exits with 3', async () => {
      const { code, out, err } = await provision('exec', '--grouped', 'echo one')
      expect([code, timeless(out)]).to.deep.equal([
        3,
        'web1, web2: ok\n    one\n3 hosts: 2 ok; unreachable: db1. (TIME)\n',
      ])
      expect(err).to.match(/^error: .*127\.0\.0\.4/)
    })

    it('prints one JSON object per host', async () => {
      const { code, out } = await provision('exec', '--grouped', 'echo one; echo two >&2; exit 4', '--output', 'json')
      const all = objects(out)
      const one = all.find(({ host }) => host === 'web1')
      expect(one).to.include({ kind: 'result', code: 4, timedOut: false, stdout: 'one\n', stderr: 'two\n' })
      expect(all.find(({ host }) => host === 'db1')).to.include({ kind: 'unreachable' })
      expect(all.at(-1)).to.include({ kind: 'end', ok: 0, failed: 2, unreachable: 1 })
      expect(code).to.equal(1)
    })

    it('prints long output at once, with all lines', async () => {
      const { out } = await provision('exec', 'seq 20000; echo end', '--limit', 'web')
      expect(out.match(/^web1 \| \d+$/gm)).to.have.length(20_000)
      for (const line of ['web1 | end', 'web1 | ok', 'web2 | end', 'web2 | ok']) expect(out).to.include(`\n${line}\n`)
      expect(out).to.include('\n2 hosts: 2 ok. (')
    })

    it('stops the command and its children after --timeout', async () => {
      const pid = join(project.directory, 'pid')
      const script = `(trap '' TERM; echo $$ > ${pid}; sh -c 'echo $$ > ${pid}; exec sleep 1000') & wait`
      const { code, out } = await provision('exec', script, '--limit', 'web1', '--timeout', '300ms')
      expect(code).to.equal(1)
      expect(out).to.include('timed out')
      expect(runs(readFileSync(pid, 'utf8').trim())).to.equal(false)
    })

    it('multiplies --timeout by --timeout-factor, which must be above 0', async () => {
      const limits = ['--limit', 'web1', '--timeout', '10ms']
      const longer = await provision('exec', 'sleep 1', ...limits, '--timeout-factor', '60000')
      expect(longer.code, longer.out).to.equal(0)
      const none = await provision('exec', 'true', ...limits, '--timeout-factor', '0')
      expect(none.err).to.include('Must be a number above 0')
    })

    it('rejects an unknown host and an invalid duration', async () => {
      const [host, time] = await Promise.all([
        provision('exec', 'true', '--limit', 'wep1'),
        provision('exec', 'true', '--timeout', 'soon'),
      ])
      expect([host.code, host.err]).to.deep.equal([
        64,
        'error: --limit: no host or group matches "wep1"\n   Did you mean "web1" or "web" or "web2"?\n',
      ])
      expect([time.code, time.err]).to.deep.equal([
        64,
        'error: Invalid value "soon" of --timeout <time>\n   "soon" is not a duration: write milliseconds, or 500ms, 30s, 5m, 1h\n',
      ])
    })
  })

  it('provision hosts lists the inventory without secrets', async () => {
    const { code, out } = await provision('hosts')
    expect([code, out.split('\n')]).to.deep.equal([
      0,
      [
        'group  host  address    connection                               vars',
        'web    web1  127.0.0.1  local                                    port=8080 token=***',
        '       web2  127.0.0.2  local                                    port=8081 token=***',
        'db     db1   127.0.0.3  deploy@127.0.0.3:1 via jump@127.0.0.4:1',
        '',
      ],
    ])
    const json = await provision('hosts', '--output', 'json', '--limit', 'web2')
    expect(objects(json.out)[0]).to.deep.include({
      kind: 'host',
      host: 'web2',
      group: 'web',
      vars: { port: 8081, token: '***' },
    })
    expect(out + json.out).to.not.include('hunter2')
  })

  it('provision facts prints a row per host, and reports unreachable hosts', async () => {
    const { code, out, err } = await provision('facts')
    expect(out).to.match(/^host {2}hostname .*\nweb1 {2}\S.* GiB .*\nweb2 {2}\S.*\n$/)
    expect([code, err.startsWith('error: ')]).to.deep.equal([3, true])
    const json = await provision('facts', '--output', 'json', '--limit', 'web1')
    expect(objects(json.out)[0]).to.have.nested.property('facts.cpus').that.is.above(0)
  })

  describe('provision list-steps', () => {
    it('prints play, host, step and line without connecting to hosts', async () => {
      const { code, out, err } = await provision('list-steps')
      expect([code, err, out.split('\n')]).to.deep.equal([
        0,
        '',
        [
          'web',
          '  web1: 3 steps',
          '    file /etc/motd   motd  playbooks/site.ts:4:3',
          '    command look     motd  playbooks/site.ts:5:3',
          '    file /etc/first        playbooks/site.ts:9:89',
          '  web2: 2 steps',
          '    file /etc/motd  motd  playbooks/site.ts:4:3',
          '    command look    motd  playbooks/site.ts:5:3',
          '',
          'database',
          '  db1: 2 steps',
          '    file /etc/motd  motd  playbooks/site.ts:4:3',
          '    command look    motd  playbooks/site.ts:5:3',
          '',
        ],
      ])
      const tagged = await provision('list-steps', '--tags', 'looks', '--limit', 'web', '--output', 'json')
      expect(objects(tagged.out).map(({ host, steps }) => [host, (steps as readonly object[]).length])).to.deep.equal([
        ['web1', 1],
        ['web2', 1],
      ])
      const unknown = await provision('list-steps', '--tags', 'lokks')
      expect([unknown.code, unknown.err]).to.deep.equal([
        64,
        'error: --tags: no step has the tag "lokks"\n   Did you mean "looks"? Nothing was done.\n',
      ])
    })

    it('connects to the hosts if steps depend on their answers', async () => {
      const { code, out } = await provision('list-steps', 'asking')
      expect([code, out.split('\n').slice(0, 3)]).to.deep.equal([
        0,
        ['asked', '  web1, web2: 2 steps', '    file /tmp/asked    playbooks/site.ts:13:99'],
      ])
      const all = await provision('list-steps', '--ask')
      expect(all.code).to.equal(3)
    })
  })

  it('provision ssh suggests names of hosts, and runs a command', async () => {
    const wrong = await provision('ssh', 'web11')
    expect([wrong.code, wrong.err]).to.deep.equal([
      64,
      'error: Unknown host "web11"\n   Did you mean "web1" or "web2"?\n',
    ])
    const right = await provision('ssh', 'web1', '--', 'echo $((1 + 1)); exit 7')
    expect([right.code, right.out]).to.deep.equal([7, '2\n'])
  })

  describe('provision watch', () => {
    it('prints the state, then a line for each change, to a pipe, and exits as verify', async () => {
      const words = ['./verify.ts', '--limit', 'web', '--every', '1ms', '--rounds', '3']
      const { code, out } = await provision('watch', ...words)
      expect([
        code,
        timeless(out)
          .replace(/^\d\d:\d\d:\d\d/gm, 'AT')
          .split('\n'),
      ]).to.deep.equal([
        1,
        [
          'AT',
          '5 checks on 2 hosts: 5 passed. (TIME)',
          '  web  web1 web2  web1 leads',
          'AT web2 is well: failed: it was seen',
          '',
        ],
      ])
    })

    it('redraws the state in a terminal, and exits with 0 after Ctrl-C', async function () {
      if (noTerminal()) return this.skip()
      const bin = join(import.meta.dirname, '../../../bin/provision.js')
      const terminal = new PseudoTerminal(
        `${process.execPath} ${bin} watch ./verify.ts -i inventory.ts --no-type-check --limit web --every 50ms`,
        { cwd: project.directory, cols: 40 },
      )
      await terminal.until(/web2✗/)
      terminal.type('\x03')
      const code = await terminal.code
      const lines = (await terminal.screen()).split('\n')
      expect(code, lines.join('\n')).to.equal(0)
      expect(lines.filter((line) => /^\d\d:\d\d:\d\d$/.test(line))).to.have.length(1)
      expect(lines.some((line) => line === '  ✗ web2 is well: it was seen')).to.equal(true)
    })
  })
})

/** A zombie does not run. */
function runs(pid: string): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
