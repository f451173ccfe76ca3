import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { changedStep, journalText, okStep } from '../../report/journal/runs.ts'
import { Project } from '../project.ts'

const PLAYBOOK = `import { after, ask, askEach, file, hosts, inventorySchema, mapAnswers, play, playbook, pkg, Problem, read, reloaded, role, service, sh, text } from 'provision-ts'
export const site = inventorySchema({ web: hosts() })
const base = role('base', ({ words }: { readonly words: string }) => [
  file('/etc/motd', words, { notify: reloaded('nginx') }),
  pkg('nginx'),
  service('nginx'),
])
export default playbook(site, ({ web }, { words }) => [play('web', { hosts: web }, () => base({ words }))], { flags: { words: text } })
const never = ask('never', read(sh\`false\`, () => true))
export const asking = playbook(site, ({ web }) => [
  play('asked', { hosts: web }, () => after(mapAnswers(askEach(web, never), () => new Problem('no answer')), () => [])),
])
`
const INVENTORY = `import { inventory } from 'provision-ts'
import { site } from './playbooks/site.ts'
export default inventory(site, { web: { hosts: { web1: { address: '10.0.0.1' }, web2: { address: '10.0.0.2' } } } })
`

describe('provision why', function () {
  this.slow('5s')
  let project: Project
  before(() => {
    project = new Project({
      'playbooks/site.ts': PLAYBOOK,
      'playbooks/asked.ts': `import { asking } from './site.ts'\nexport default asking\n`,
      'inventory.ts': INVENTORY,
    })
    const runs = join(project.directory, '.provision/runs')
    mkdirSync(runs, { recursive: true })
    const end = {
      kind: 'progress',
      play: '',
      host: 'web1',
      text: '',
      step: { kind: '', name: '', roles: [], source: undefined },
    } as const
    const changed = changedStep('/etc/motd', { mode: ['0600', '0644'] })
    writeFileSync(join(runs, '20260101-000000-000a.jsonl'), journalText(1, [changed, okStep('/etc/old'), changed, end]))
    writeFileSync(join(runs, '20260102-000000-000a.jsonl'), 'damaged\n')
  })
  after(() => project.remove())

  const why = (...words: readonly string[]) =>
    project.provision('why', ...words, '-i', 'inventory.ts', '--no-type-check')

  it('shows the role with its line, the play, the handlers and the last change', async () => {
    const { out, err, code } = await why('/etc/motd@web1', 'site', '--words', 'x')
    expect(out.split('\n')).to.deep.equal([
      'path /etc/motd on web1',
      '  role        base',
      '  step        file /etc/motd',
      '  code        playbooks/site.ts:4:3',
      `              4 |   file('/etc/motd', words, { notify: reloaded('nginx') }),`,
      '                |   ^',
      '  play        web',
      '  notifies    reload nginx',
      '  last change change mode 0600 → 0644, 2026-01-01 00:00 UTC, run 20260101-000000-000a (provision 1)',
      '',
    ])
    expect(err).to.match(/^warning: cannot read the journal 20260102-000000-000a: /)
    expect(code).to.equal(0)
  })

  it('shows who notifies a unit, and that no recorded run changed it', async () => {
    const { out, code } = await why('unit:nginx@web2', '--words', 'x')
    expect(code).to.equal(0)
    expect(out).to.include('  last change unknown: none of the 1 recorded run since 2026-01-01 00:00 UTC changed it')
    expect(out).to.include(
      'Handlers for unit:nginx, and who notifies them:\n  reload nginx: file /etc/motd [base], playbooks/site.ts:4:3\n',
    )
  })

  it('says that a thing is not managed, with status 1, and which run set it earlier', async () => {
    const { out, code } = await why('/etc/old@web1', '--words', 'x')
    expect(code).to.equal(1)
    expect(out).to.equal(
      [
        '/etc/old on web1: not managed. No step of playbooks/site.ts sets it.',
        '  A run found it as declared: file /etc/old, 2026-01-01 00:00 UTC, run 20260101-000000-000a (provision 1)',
        `  A package may own it: provision exec --limit web1 'dpkg -S /etc/old'`,
        '',
      ].join('\n'),
    )
    expect((await why('telnetd@web1', '--words', 'x')).out).to.equal(
      'telnetd on web1: not managed. No step of playbooks/site.ts sets it.\n',
    )
  })

  it('is unknown, with status 4, if steps depend on answers of hosts', async () => {
    const { out, code } = await why('/etc/motd@web2', 'asked')
    expect(code).to.equal(4)
    expect(out).to.include('/etc/motd on web2: not managed by the steps that are known.')
    expect(out).to.include(
      'Not known without a connection:\n  web2: some steps depend on answers of hosts or on output of commands, in play asked\n',
    )
  })

  it('needs a host if several have the thing', async () => {
    const { err, code } = await why('/etc/motd', '--words', 'x')
    expect(code).to.equal(64)
    expect(err).to.equal('error: /etc/motd is on several hosts: web1, web2\n   Name one of them: /etc/motd@web1\n')
  })

  it('rejects an option of the playbook before the thing', async () => {
    const { err, code } = await why('--words', 'x', '/etc/motd@web1')
    expect([code, err]).to.deep.equal([
      64,
      'error: Unexpected option --words\n   The thing comes first, then the playbook with its options: provision why /etc/motd@web1 site.\n',
    ])
  })

  it('prints objects with --output json', async () => {
    const { out } = await why('/etc/motd@web1', '--words', 'x', '--output', 'json')
    const [declaration, end] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(declaration).to.deep.include({ kind: 'declaration', host: 'web1', play: 'web', notifies: ['reload nginx'] })
    expect(declaration.step.source).to.equal('playbooks/site.ts:4:3')
    expect(declaration.changed.run.id).to.equal('20260101-000000-000a')
    expect(end).to.deep.include({ kind: 'why', name: '/etc/motd', host: 'web1', managed: true, unknown: [] })
    const none = JSON.parse((await why('/etc/x@web1', '--words', 'x', '--output', 'json')).out)
    expect(none).to.deep.include({ managed: false, former: null })
  })
})
