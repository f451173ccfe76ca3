import { expect } from 'chai'
import type { RunEvent } from '../../src/model/event.ts'
import { known } from '../../src/model/resource/read.ts'
import { jsonReporter } from '../../src/report/reporter.ts'
import { Secret } from '../../src/shell/secret.ts'
import { KINDS, misfits } from './schema.ts'
import { EVENTS, step } from './terminal/script.ts'

describe('the report in JSON', () => {
  const lines = (events: readonly RunEvent[]) => {
    const written: string[] = []
    const reporter = jsonReporter((line) => written.push(line))
    for (const event of events) reporter.emit(event)
    return written
  }

  it('has an object with a time for each event', () => {
    const objects = lines(EVENTS).map((line) => JSON.parse(line))
    expect(objects.map(({ kind }) => kind)).to.deep.equal(EVENTS.map(({ kind }) => kind))
    for (const { at } of objects) expect(new Date(at).toISOString()).to.equal(at)
    expect(lines(EVENTS).filter((line) => line.includes('\n'))).to.deep.equal([])
  })

  it('conforms to the published schema, which has each kind of event', () => {
    expect(misfits(lines(EVENTS))).to.deep.equal([])
    expect([...KINDS].sort()).to.deep.equal(Object.keys(ALL).sort())
    expect([...new Set(EVENTS.map(({ kind }) => kind))].sort()).to.deep.equal(Object.keys(ALL).sort())
    expect(misfits(['{"at":"2020-01-01T00:00:00.000Z","kind":"other"}'])).to.have.length(1)
    const [first = ''] = lines(EVENTS)
    expect(misfits([first.replace('"mode"', '"mood"')])).to.have.length(1)
  })

  it('contains complete problems, with locations as file:line:column', () => {
    const objects = lines(EVENTS).map((line) => JSON.parse(line))
    expect(objects.find(({ kind }) => kind === 'failed').problem).to.deep.equal({
      message: 'web2: command reload failed: exit status 1',
      where: '/site/roles/web.ts:9:5',
      details: ['$ nginx -s reload', '  nginx: [emerg] bind() failed'],
      next: 'Fix the cause and run the same command again.',
    })
    expect(objects.find(({ kind }) => kind === 'step').step).to.deep.equal({
      kind: 'directory',
      name: '/srv',
      roles: [],
      source: '/site/roles/web.ts:7:3',
    })
  })

  it('masks secrets everywhere', () => {
    const password = new Secret(() => 'correct "horse" battery')
    password.reveal()
    const event: RunEvent = {
      kind: 'step',
      play: 'web',
      host: 'web1',
      step: step('file', '/etc/a'),
      outcome: 'changed',
      difference: {
        action: 'change',
        fields: [{ name: 'line', to: `password=${password.reveal()}` }],
        texts: [{ path: '/etc/a', before: known(''), after: `a\n${password.reveal()}\n` }],
      },
      before: [`was ${password.reveal()}`],
    }
    const [line = ''] = lines([event])
    expect(line).not.to.match(/horse/)
    const { difference, before } = JSON.parse(line)
    expect(difference.texts).to.deep.equal([{ path: '/etc/a', after: 'a\n***\n' }])
    expect([difference.fields[0].to, before]).to.deep.equal(['password=***', ['was ***']])
  })
})

/** All kinds of events, checked by the compiler. */
const ALL: Readonly<Record<RunEvent['kind'], true>> = {
  ...{ begin: true, connected: true, unreachable: true, refreshed: true, play: true, turn: true },
  ...{ applying: true, step: true, handler: true, drain: true, recovered: true, policy: true, progress: true },
  ...{ waiting: true, turnEnd: true, skipped: true, failed: true, end: true },
}
