import { expect } from 'chai'
import { type WhyResult, why } from '../../../src/api/why.ts'
import {
  after,
  ask,
  askEach,
  concat,
  delegateTo,
  file,
  handler,
  hosts,
  InvalidParams,
  inventory,
  inventorySchema,
  mapAnswers,
  Problem,
  pkg,
  play,
  playbook,
  read,
  reloaded,
  role,
  type Steps,
  service,
  sh,
  tagged,
  transaction,
} from '../../../src/index.ts'
import type { Host } from '../../../src/model/inventory/host.ts'

const schema = inventorySchema({ web: hosts(), db: hosts() })
const two = inventory(schema, {
  web: { hosts: { web1: { address: '10.0.0.1' }, web2: { address: '10.0.0.2' } } },
  db: { hosts: { db1: { address: '10.0.0.3' } } },
})

/** The explanation for a playbook with this play for web, and none for db. */
function whyOf(thing: string, steps: (host: Host) => Steps, onDb: Steps = []): Promise<WhyResult> {
  const made = playbook(schema, ({ web, db }) => [
    play('web', { hosts: web }, steps),
    play('db', { hosts: db }, () => onDb),
  ])
  return why({ inventory: two, playbook: made, thing })
}

const nginx = role('nginx', ({ text }: { readonly text: string }) => [
  pkg('nginx'),
  file('/etc/nginx/site.conf', text, { notify: reloaded('nginx') }),
  service('nginx'),
])

describe('why', () => {
  it('names the role, the play, the line and the handlers of a path', async () => {
    const { declarations, unknown, host, name } = await whyOf('/etc/nginx/site.conf@web1', () => nginx({ text: 'x' }))
    expect([host, name, unknown]).to.deep.equal(['web1', '/etc/nginx/site.conf', []])
    expect(declarations).to.have.length(1)
    const [found] = declarations
    expect(found?.step.source?.file).to.equal(import.meta.filename)
    expect(found?.step).to.deep.include({ kind: 'file', name: '/etc/nginx/site.conf', roles: ['nginx'] })
    expect(found).to.deep.include({
      host: 'web1',
      turn: 'web1',
      play: 'web',
      notifies: ['reload nginx'],
      isGuess: false,
    })
  })

  it('finds all kinds of things of one name, and one with its type', async () => {
    const types = async (thing: string) =>
      (await whyOf(thing, () => nginx({ text: 'x' }))).declarations.map(({ thing }) => thing.type)
    expect(await types('nginx@web1')).to.deep.equal(['package', 'unit'])
    expect(await types('package:nginx@web1')).to.deep.equal(['package'])
  })

  it('finds the steps that notify a handler of a unit, also of a handler with commands of its own', async () => {
    const own = handler('activate', sh`nginx -t && systemctl reload nginx.service`)
    const other = handler('other', sh`systemctl restart nginx-exporter`)
    const { notifiers } = await whyOf('nginx@web1', () => [
      file('/etc/a', '', { notify: [own, other] }),
      file('/etc/b', '', { notify: reloaded('nginx') }),
    ])
    expect(notifiers.map(({ handler, step }) => `${handler}: ${step.name}`)).to.deep.equal([
      'activate: /etc/a',
      'reload nginx: /etc/b',
    ])
  })

  it('finds a handler by its name', async () => {
    const { notifiers } = await whyOf('handler:reload nginx@web1', () => nginx({ text: 'x' }))
    expect(notifiers.map(({ step }) => step.name)).to.deep.equal(['/etc/nginx/site.conf'])
  })

  it('names the part of a transaction, and the fragments of a file', async () => {
    const [part] = (await whyOf('/etc/a@web1', () => transaction('both', [file('/etc/a', ''), file('/etc/b', '')])))
      .declarations
    expect([part?.step.name, part?.part?.name]).to.deep.equal(['both', '/etc/a'])
    const one = role('one', (_params: object) => concat('/etc/c', '1', 'x'))
    const other = role('other', (_params: object) => concat('/etc/c', '2', 'y'))
    const fragments = (await whyOf('/etc/c@web1', () => [one({}), other({})])).declarations
    expect(fragments.map(({ part }) => part?.roles)).to.deep.equal([['one'], ['other']])
  })

  it('finds delegated steps on the host on which they act', async () => {
    const steps = ({ name }: Host) => name === 'web1' && delegateTo(only(two.values.db.hosts), [file('/etc/peer', '')])
    const { declarations } = await whyOf('/etc/peer@db1', steps)
    expect(declarations.map(({ host, turn, thing }) => [host, turn, thing.name])).to.deep.equal([
      ['db1', 'web1', '/etc/peer'],
    ])
    expect((await whyOf('/etc/peer@web1', steps)).declarations).to.deep.equal([])
  })

  it('needs the host only if several hosts have the thing', async () => {
    expect((await whyOf('/etc/d', () => [], file('/etc/d', ''))).host).to.equal('db1')
    expect((await whyOf('/etc/none', () => [])).host).to.equal(undefined)
    const problem = await refusal(whyOf('/etc/a', () => file('/etc/a', '')))
    expect([problem.message, problem.next]).to.deep.equal([
      '/etc/a is on several hosts: web1, web2',
      'Name one of them: /etc/a@web1',
    ])
  })

  it('accepts units with an @, and rejects an unknown host', async () => {
    const { declarations } = await whyOf('app@1.service', () => [], service('app@1'))
    expect(declarations.map(({ thing }) => thing.name)).to.deep.equal(['app@1.service'])
    expect((await whyOf('app@1.service@db1', () => [], service('app@1'))).declarations).to.have.length(1)
    const problem = await refusal(whyOf('/etc/a@web3', () => file('/etc/a', '')))
    expect(problem.message).to.equal('There is no host web3')
  })

  it('marks steps that depend on answers of hosts, and names plays whose steps are not known', async () => {
    const question = ask(
      'x',
      read(sh`cat /x`, ({ stdout }) => stdout),
    )
    const guessed = await whyOf('/etc/a@web1', () =>
      after(askEach(two.values.db, question), () => [file('/etc/a', '')]),
    )
    expect(guessed.declarations.map(({ isGuess }) => isGuess)).to.deep.equal([true])
    const certain = await whyOf('/etc/b@web1', () => [
      file('/etc/b', ''),
      after(askEach(two.values.db, question), () => [file('/etc/a', '')]),
    ])
    expect(certain.declarations.map(({ isGuess }) => isGuess)).to.deep.equal([false])
    const impossible = await whyOf('/etc/a@web1', () => [
      file('/etc/b', ''),
      after(
        mapAnswers(askEach(two.values.db, question), ([first]) => new Problem(`no ${first?.host.name}`)),
        () => [],
      ),
    ])
    expect(impossible.unknown).to.deep.equal([
      'web1: some steps depend on answers of hosts or on output of commands, in play web',
    ])
  })

  it('says that steps cannot be made, with the reason', async () => {
    const broken = role('broken', (_params: object): Steps => {
      throw new InvalidParams('The release is too old')
    })
    const { declarations, unknown } = await whyOf('/etc/a@web1', () => broken({}))
    expect(declarations).to.deep.equal([])
    expect(unknown).to.deep.equal(['web1: the steps of play "web" cannot be made: The release is too old'])
  })

  it('shows the tags of a step', async () => {
    const { declarations } = await whyOf('/etc/a@web1', () => tagged('never', file('/etc/a', '')))
    expect(declarations[0]?.tags).to.deep.equal(['never'])
  })
})

function only<T>([first]: readonly T[]): T {
  if (first === undefined) throw new Error('there is none')
  return first
}

async function refusal(promise: Promise<unknown>): Promise<Problem> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Problem)) throw new Error(`not refused: ${error}`)
  return error
}
