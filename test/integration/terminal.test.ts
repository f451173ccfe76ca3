import { expect } from 'chai'
import { misfits } from '../report/schema.ts'
import { noTerminal, PseudoTerminal } from '../support/terminal.ts'
import { ownLab, ROOT } from './support.ts'

const LAB = 'test-terminal'

/** The output of a run on real hosts: in terminals of different kinds, through a pipe, and as JSON. */
describe('the output of a run', function () {
  this.slow('10s')
  const own = ownLab(LAB, ['web1', 'web2'], () => ({
    'stack.ts': STACK,
    'playbook.ts': PLAYBOOK,
    'inventory.ts': INVENTORY,
  }))
  beforeEach(async () => {
    await Promise.all(own.lab.hosts.map(({ name }) => own.lab.exec(name, 'rm -rf /etc/face')))
  })

  const onScreen = async (cols: number, words: readonly string[] = [], env = {}) => {
    const command = ['node', `${ROOT}/bin/provision.js`, ...own.words(...words)].join(' ')
    const terminal = new PseudoTerminal(command, { cols, rows: 30, env: { LAB, ...env } })
    const code = await terminal.code
    return { code, screen: timeless(await terminal.screen()), bytes: terminal.bytes }
  }
  const inTerminal = it
  before(function () {
    if (noTerminal()) this.skip()
  })

  inTerminal('is rows that converge, and then the changes, once for both hosts', async () => {
    const { code, screen, bytes } = await onScreen(100)
    expect(code, screen).to.equal(0)
    expect(screen).to.equal(`✔ read 2 of 2 hosts: 6 steps, 6 differ
✔ web
Changed:
  web1, web2 ✓ file /etc/face/word [face]: create root:root 0644
  web1, web2 ✓ file /etc/face/bytes [face]: create root:root 0644
  web1, web2 ✓ file /etc/face/key [face]: create root:root 0600
web1 0 ok, 3 changed
web2 0 ok, 3 changed
6 of 6 steps changed on 2 hosts. (TIME, at most N round trips per host, N KiB)`)
    expect(bytes).to.include('\u001b[33m')
  })

  inTerminal('keeps to 40 columns', async () => {
    const { code, screen } = await onScreen(40, ['--check'])
    expect(code, screen).to.equal(2)
    expect(screen.split('\n').filter((line) => line.length > 40)).to.deep.equal([])
    expect(screen)
      .to.match(/^✔ web$/m)
      .and.match(/^Would change:$/m)
  })

  inTerminal('has no colours if they are disabled', async () => {
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      const { code, bytes } = await onScreen(100, ['--check'], env)
      expect(code, bytes).to.equal(2)
      expect(bytes).not.to.match(new RegExp(`${ESCAPE}\\[[\\d;]*[1-9]\\d*m`))
    }
  })

  it('is plain lines in a pipe, whatever programs write', async () => {
    const { code, text } = await own.run([], { FAIL: '1', FORCE_COLOR: '' })
    expect(code, text).to.equal(1)
    expect(text).not.to.match(/[^\P{Cc}\n\t]/u)
    expect(text).to.include('$ printf ')
    expect(text, text).to.match(/^ {5}red 100% said(\\x07)?$/m)
    expect(text).to.match(/✗ command say a lot \[face\]\n/)
    expect(text).to.match(/\n {3}at \S+\/playbook\.ts:\d+:\d+\n {5}\d+ \| .*command\('say a lot'.*\n {6,}\| +\^\n/)
    expect(text).to.match(/Likely cause: the disk is full[^\n]*\n/)
    expect(text).to.include('To continue')
  })

  it('uses words instead of symbols, for a screen reader', async () => {
    const { code, text } = await own.run(['--output', 'plain', '--check'])
    expect(code, text).to.equal(2)
    expect(text)
      .to.include('web1 would change: file /etc/face/word')
      .and.not.match(/[✓✗~…✔]/u)
  })

  it('shows equal diffs once, binary content by size and hash, and no secrets', async () => {
    const { code, text } = await own.run(['--diff', '--check'])
    expect(code, text).to.equal(2)
    expect(text.match(/\+hello$/gm)).to.have.length(1)
    expect(text).to.include('the same diff as on web')
    expect(text).to.match(/\/etc\/face\/bytes: binary or long, 3 bytes, sha256 [0-9a-f]{64}$/m)
    expect(text).to.include('/etc/face/key: secret, not shown').and.not.include('open-sesame')
  })

  it('is lines of JSON that match the published schema', async () => {
    const runs = [
      await own.run(['--output', 'json', '--diff', '--check']),
      await own.run(['--output', 'json', '--diff'], { FAIL: '1' }),
    ]
    for (const { text } of runs) {
      const lines = text.trim().split('\n')
      expect(lines.length).to.be.greaterThan(8)
      expect(misfits(lines)).to.deep.equal([])
      expect(text).not.to.include('open-sesame')
    }
  })
})

const ESCAPE = String.fromCharCode(27)

function timeless(text: string): string {
  return text
    .replace(/\([\d.]+ s,/g, '(TIME,')
    .replace(/at most \d+ round/g, 'at most N round')
    .replace(/\d+ KiB/g, 'N KiB')
}

const STACK = `
import { hosts, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ web: hosts() })
`

const PLAYBOOK = `
import { command, file, play, playbook, role, secret, sh } from 'provision-ts'
import { site } from './stack.ts'
const face = role('face', () => [
  file('/etc/face/word', 'hello\\n'),
  file('/etc/face/bytes', new Uint8Array([0, 1, 2])),
  file('/etc/face/key', secret.of('open-sesame')),
  ...(process.env.FAIL ? [
    command('say a lot', sh\`printf '\\033[31mred\\033[0m 10%%\\r\\033[2Jred 100%% said\\007\\nNo space left on device\\n'; false\`, { unless: sh\`false\` }),
  ] : []),
])
export default playbook(site, ({ web }) => [play('web', { hosts: web }, () => face({}))])
`

const INVENTORY = `
import { inventory } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
import { site } from './stack.ts'
const lab = openLab(process.env.LAB)
const at = (name: string) => {
  const { address, ssh } = lab.host(name)
  return { address, ssh }
}
export default inventory(site, { web: { hosts: { web1: at('web1'), web2: at('web2') } } })
`
