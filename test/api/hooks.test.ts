import { rmSync } from 'node:fs'
import { expect } from 'chai'
import { plan, type RunRequest, run } from '../../src/api/index.ts'
import {
  command,
  type HookReport,
  type Hooks,
  hook,
  hosts,
  inventory,
  inventorySchema,
  play,
  playbook,
  type Steps,
  secret,
  sh,
  webhook,
} from '../../src/index.ts'
import { Problem } from '../../src/model/problem.ts'
import { Server } from '../hooks/report.ts'
import { temporary } from '../support/rig.ts'

const schema = inventorySchema({ web: hosts() })
const directory = temporary()
let changes = 0
/** A command that has not run yet. */
const changing = () => {
  const file = `${directory}/${changes++}`
  return command('change', sh`touch ${file}`, { unless: sh`[ -e ${file} ]` })
}
const failing = () => command('fail', sh`exit 3`, { unless: sh`false` })
const idle = () => command('idle', sh`true`, { unless: sh`true` })

describe('the hooks of an inventory', () => {
  after(() => rmSync(directory, { recursive: true }))
  const reports: HookReport[] = []
  const warnings: string[] = []
  beforeEach(() => {
    reports.length = 0
    warnings.length = 0
  })
  const note = hook('note', (report) => void reports.push(report))
  const all: Hooks = { onChange: note, onFailure: [note], onEnd: note }

  /** A request for this machine. */
  const request = (hooks: Hooks, ...steps: readonly Steps[]): RunRequest<typeof schema.entries> => ({
    inventory: inventory(schema, { web: { hosts: { web1: { address: '127.0.0.1' } } } }, { hooks }),
    playbook: playbook(schema, ({ web }) => [play('web', { hosts: web }, () => steps)]),
    // Other tests run on this machine, too, and hold its lock meanwhile.
    wait: '10m',
    connection: { transport: 'local', become: { method: 'none' }, warn: (text) => warnings.push(text) },
  })
  const events = () => reports.map(({ event }) => event)

  it('are called at the end of a run that changes something, with the changes and the hosts', async () => {
    const { status } = await run(request(all, changing())).result
    expect([status, events()]).to.deep.equal(['ok', ['onChange', 'onEnd']])
    const [report] = reports
    expect(report).to.deep.include({ mode: 'apply', status: 'ok', problems: [] })
    expect(report?.hosts).to.deep.equal([{ host: 'web1', outcome: 'changed', changed: 1 }])
    expect(report?.changes).to.deep.equal([
      { host: 'web1', play: 'web', step: 'command change', roles: [], action: 'run', fields: [] },
    ])
    expect(report?.events.map(({ event }) => event.kind)).to.include.members(['begin', 'refreshed', 'step', 'end'])
  })

  it('are called after a failure, with its problem once', async () => {
    const { status } = await run(request(all, failing())).result
    expect([status, events()]).to.deep.equal(['failed', ['onFailure', 'onEnd']])
    expect(reports[0]?.problems.map(({ host, message }) => [host, message])).to.deep.equal([
      ['web1', 'web1: command fail failed: exit status 3'],
    ])
  })

  it('are not called for changes that a dry run finds, nor for a run with nothing to do', async () => {
    await plan(request(all, changing())).result
    await run(request(all, idle())).result
    expect(reports.map(({ event, mode, status }) => [event, mode, status])).to.deep.equal([
      ['onEnd', 'plan', 'changes'],
      ['onEnd', 'apply', 'ok'],
    ])
  })

  it('never change the result: a failure is a warning, without secrets', async () => {
    const word = secret.of('CanaryOfTheHook')
    const broken = hook('broken', () => {
      throw new Error(`no ${word.reveal()}`)
    })
    const { status } = await run(request({ onChange: [broken, note] }, changing())).result
    expect([status, events()]).to.deep.equal(['ok', ['onChange']])
    expect(warnings).to.deep.equal(['onChange: broken failed: no ***. The result of the run is not affected.'])
  })

  it('are given up after their time limit', async () => {
    let aborted = false
    const silent = new Server(() => {})
    const url = await silent.start()
    const stuck = hook(
      'stuck',
      (_report, signal) =>
        new Promise(() =>
          signal.addEventListener('abort', () => {
            aborted = true
          }),
        ),
      { timeout: '20ms' },
    )
    const { status } = await run(request({ onEnd: [stuck, webhook(url, { timeout: '50ms' })] }, idle())).result
    silent.stop()
    expect([status, aborted]).to.deep.equal(['ok', true])
    expect(warnings.sort()).to.deep.equal([
      'onEnd: stuck failed: it took longer than 20ms. The result of the run is not affected.',
      `onEnd: webhook ${url} failed: it took longer than 50ms. The result of the run is not affected.`,
    ])
  })

  it('report the reason of a connection that fails', async () => {
    const server = new Server()
    const url = await server.start()
    server.stop()
    await run(request({ onEnd: webhook(url) }, idle())).result
    expect(warnings).to.have.length(1)
    expect(warnings[0]).to.match(/^onEnd: webhook http:\/\/127\.0\.0\.1:\d+ failed: connect ECONNREFUSED /)
  })

  it('send a run with its secrets masked to a real server', async () => {
    const server = new Server()
    const url = await server.start()
    const word = secret.of('CanaryOfTheStep')
    const leaking = command('leak', sh`cat; exit 4`, { input: word, unless: sh`false` })
    await run(request({ onFailure: webhook(url) }, leaking)).result
    server.stop()
    const [sent] = server.requests
    expect(JSON.parse(sent?.text ?? '')).to.deep.include({ event: 'onFailure', status: 'failed' })
    expect(sent?.text).to.include('command leak').and.not.to.include('CanaryOfTheStep')
  })

  it('are checked: names, and values that are no hooks', () => {
    const faults = (hooks: object): readonly string[] => {
      try {
        // Not valid on purpose.
        inventory(schema, { web: { hosts: { web1: { address: '127.0.0.1' } } } }, { hooks: hooks as Hooks })
      } catch (error) {
        if (error instanceof Problem) return error.details
      }
      return []
    }
    expect(faults({ onchange: note })).to.deep.equal(['hooks.onchange: is not known here. Did you mean "onChange"?'])
    expect(faults({ onEnd: () => {} })).to.deep.equal([
      'hooks.onEnd: should be a hook, such as webhook(…), or a list of hooks',
    ])
    expect(faults({ onEnd: [note, 'x'] })).to.have.length(1)
    expect(faults(all)).to.deep.equal([])
  })
})
