import { expect } from 'chai'
import { apply, plan, type RunRequest, run, validate } from '../../src/api/index.ts'
import { runToResult } from '../../src/api/run.ts'
import { sessions, transports } from '../../src/api/sessions.ts'
import { command, file, flag, hosts, inventory, inventorySchema, play, playbook, sh, text } from '../../src/index.ts'
import { Problem } from '../../src/model/problem.ts'

const schema = inventorySchema({ web: hosts({ words: text }) })
const site = playbook(
  schema,
  ({ web }, { loud }) => [
    play('web', { hosts: web }, ({ words }) => file('/run/provision-none/motd', loud ? words.toUpperCase() : words)),
  ],
  { flags: { loud: flag } },
)
const two = inventory(schema, {
  web: { words: 'hello', hosts: { web1: { address: '127.0.0.1' }, web2: { address: '127.0.0.2' } } },
})
/** This machine, without other rights: a plan only reads it. */
const LOCAL: Pick<RunRequest, 'connection'> = { connection: { transport: 'local', become: { method: 'none' } } }

describe('the engine as a library', () => {
  it('plans: it yields events, and returns a status, a summary and the plan', async () => {
    const planning = plan({ inventory: two, playbook: site, ...LOCAL })
    const kinds: string[] = []
    for await (const event of planning) kinds.push(event.kind)
    expect(kinds.at(0)).to.equal('begin')
    expect(kinds.at(-1)).to.equal('end')
    const { status, summary, plan: content } = await planning.result
    expect(status).to.equal('changes')
    expect(summary.hosts.map(({ host, changed }) => [host, changed])).to.deep.equal([
      ['web1', 1],
      ['web2', 1],
    ])
    expect(Object.keys(content.hosts)).to.deep.equal(['web1', 'web2'])
  })

  it('plans without a reader of its events', async () => {
    expect((await plan({ inventory: two, playbook: site, ...LOCAL }).result).status).to.equal('changes')
  })

  it('takes digests of the states only if the plan is needed', async () => {
    const open = sessions(transports({}, 'local'), { method: 'none' })
    const planOf = async (needsPlan: boolean) => {
      const request = { inventory: two, playbook: site, mode: 'plan' } as const
      return (await runToResult(request, { open, emit: () => {}, needsPlan })).plan.hosts
    }
    expect(Object.keys(await planOf(true))).to.deep.equal(['web1', 'web2'])
    expect(await planOf(false)).to.deep.equal({})
  })

  it('passes the options of the playbook, and selects hosts as --limit does', async () => {
    const shown = async (options: Pick<RunRequest, 'options' | 'limit'>) => {
      const texts: string[] = []
      for await (const event of plan({ inventory: two, playbook: site, diff: true, ...LOCAL, ...options }))
        if (event.kind === 'step' && event.outcome === 'planned')
          texts.push(`${event.host} ${JSON.stringify(event.difference)}`)
      return texts
    }
    expect(await shown({ limit: 'web,!web2' })).to.have.length(1)
    const quiet = await shown({ limit: 'web1' })
    const loud = await shown({ limit: 'web1', options: { loud: true } })
    expect(loud).to.not.deep.equal(quiet)
  })

  it('rejects with a Problem for an error that is found before any host is contacted', async () => {
    const wrong = plan({ inventory: two, playbook: site, limit: 'db', ...LOCAL })
    const error = await wrong.result.catch((reason: unknown) => reason)
    expect(error).to.be.instanceOf(Problem).with.property('message', '--limit: no host or group matches "db"')
    const iterated = await (async () => {
      for await (const _ of wrong) return undefined
      return undefined
    })().catch((reason: unknown) => reason)
    expect(iterated).to.equal(error)
  })

  it('stops a run by its signal', async () => {
    const stop = new AbortController()
    const waiting = playbook(schema, ({ web }) => [
      play('web', { hosts: web }, () => command('wait', sh`exit 1`, { unless: sh`sleep 1000` })),
    ])
    const planning = plan({ inventory: two, playbook: waiting, signal: stop.signal, ...LOCAL })
    for await (const event of planning) if (event.kind === 'connected') stop.abort()
    expect((await planning.result).status).to.equal('interrupted')
  })

  it('runs only if the hosts are in the state of the plan', async () => {
    const planned = await plan({ inventory: two, playbook: site, ...LOCAL }).result
    const [, other] = Object.entries(planned.plan.hosts)
    const changed = { hosts: { ...planned.plan.hosts, ...(other && { web1: [] }) } }
    const error = await apply(changed, { inventory: two, playbook: site, ...LOCAL }).result.catch((one: unknown) => one)
    expect(error).to.be.instanceOf(Problem)
    expect(String(error)).to.include('The hosts are no longer as t')
  })

  it('reports a host that does not answer as unreachable, and not as an error', async () => {
    const silent = inventory(schema, {
      web: { words: 'hello', hosts: { web1: { address: '127.0.0.1', ssh: { port: 1, proxyJump: [] } } } },
    })
    const { status } = await run({ inventory: silent, playbook: site }).result
    expect(status).to.equal('unreachable')
  })

  it('validates without a host', async () => {
    expect(await validate({ inventory: () => two, playbook: site })).to.deep.equal({
      problems: [],
      steps: 2,
      notes: [],
    })
    const broken = playbook(schema, ({ web }) => [
      play('web', { hosts: web }, () => {
        throw new Problem('no words', { next: 'Add some.' })
      }),
    ])
    const { problems } = await validate({ inventory: two, playbook: broken })
    expect(problems.map(({ message }) => message)).to.deep.equal(['no words'])
  })
})
