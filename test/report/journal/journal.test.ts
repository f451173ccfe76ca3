// cspell:ignore owed
import { expect } from 'chai'
import type { RunEvent } from '../../../src/model/event.ts'
import { known } from '../../../src/model/resource/read.ts'
import { parseJournal } from '../../../src/report/journal/format.ts'
import { journalWriter } from '../../../src/report/journal/journal.ts'
import { timelineOf } from '../../../src/report/journal/timeline.ts'
import { Secret } from '../../../src/shell/secret.ts'
import { EVENTS, step } from '../terminal/script.ts'

const ABOUT = {
  id: '20260102-030405-abcd',
  at: '2026-01-02T03:04:05.000Z',
  command: 'provision --inventory inventory/prod.ts',
  hosts: [
    { name: 'web1', group: 'web', address: '10.0.0.1' },
    { name: 'web2', group: 'web', address: '10.0.0.2' },
    { name: 'balancer1', group: 'balancers', address: '10.0.0.9' },
  ],
} as const

function journalOf(events: readonly RunEvent[]): string {
  const lines: string[] = []
  const emit = journalWriter(ABOUT, (line) => lines.push(line))
  for (const event of events) emit(event)
  return lines.map((line) => `${line}\n`).join('')
}

const ok = (host: string, name: string): RunEvent => ({
  kind: 'step',
  play: 'web',
  host,
  step: step('file', name),
  outcome: 'ok',
})

describe('the journal of a run', () => {
  it('has a line for each event with new information', () => {
    const { about, lines } = parseJournal(journalOf(EVENTS))
    expect(about).to.deep.equal({ provision: 2, ...ABOUT })
    const number = (kind: string) => lines.filter((line) => line.kind === kind).length
    for (const kind of ['begin', 'connected', 'unreachable', 'refreshed', 'failed', 'end'])
      expect(number(kind), kind).to.equal(EVENTS.filter((event) => event.kind === kind).length)
    expect(number('step')).to.equal(
      EVENTS.filter((event) => event.kind === 'step' && !['ok', 'deferred'].includes(event.outcome)).length,
    )
  })

  it('is read from version 1 with the names of today', () => {
    const header = JSON.stringify({ provision: 1, ...ABOUT })
    const at = { play: 'web', host: 'web1' }
    const old = [
      { t: 0, kind: 'begin', mode: 'check', hosts: ['web1'], plays: ['web'] },
      { t: 1, kind: 'doors', id: 0, admits: [{ to: [80], from: 'anywhere' }] },
      { t: 1, kind: 'surveyed', host: 'web1', steps: 2, differing: 1, admits: 0 },
      { t: 2, kind: 'bracket', ...at, label: 'backend web', outcome: 'entered', owed: true },
      { t: 2, kind: 'a step', id: 0, step: { kind: 'file', name: '/etc/motd', roles: [] } },
      { t: 2, kind: 'step', ...at, step: 0, outcome: 'planned', sure: true },
      { t: 3, kind: 'turned', ...at, changed: 1, failed: false },
      {
        ...{ t: 4, kind: 'end' },
        summary: { mode: 'check', hosts: [{ host: 'web1', ok: 1, open: 1, recheck: 2, away: 'at lunch' }] },
      },
    ]
    const { about, lines } = parseJournal([header, ...old.map((line) => JSON.stringify(line)), ''].join('\n'))
    expect(about.provision).to.equal(2)
    expect(lines).to.deep.equal([
      { t: 0, kind: 'begin', mode: 'plan', hosts: ['web1'], plays: ['web'] },
      { t: 1, kind: 'define ingress', id: 0, ingress: [{ to: [80], from: 'anywhere' }] },
      { t: 1, kind: 'refreshed', host: 'web1', steps: 2, differing: 1, ingress: 0 },
      { t: 2, kind: 'drain', ...at, label: 'backend web', outcome: 'drained', pending: true },
      { t: 2, kind: 'define step', id: 0, step: { kind: 'file', name: '/etc/motd', roles: [] } },
      { t: 2, kind: 'step', ...at, step: 0, outcome: 'planned', known: true },
      { t: 3, kind: 'turnEnd', ...at, changed: 1, failed: false },
      {
        ...{ t: 4, kind: 'end' },
        summary: {
          mode: 'plan',
          hosts: [{ host: 'web1', ok: 1, tentative: 1, deferred: 2, excluded: 'at lunch' }],
        },
      },
    ])
  })

  it('has one line for the ok steps of a host and one definition of a step for all hosts', () => {
    const names = Array.from({ length: 100 }, (_, i) => `/etc/part-${i}`)
    const { lines } = parseJournal(journalOf(['web1', 'web2'].flatMap((host) => names.map((name) => ok(host, name)))))
    expect(lines.filter(({ kind }) => kind === 'define step')).to.have.length(100)
    // The steps of the second host are written with the next event.
    expect(lines.filter(({ kind }) => kind === 'ok')).to.have.length(1)
  })

  it('masks secrets everywhere and contains texts of files only as requested diffs', () => {
    const password = new Secret(() => 'correct "horse" battery')
    const value = password.reveal()
    const change = (before?: string): RunEvent => ({
      kind: 'step',
      play: 'web',
      host: 'web1',
      step: step('file', `/etc/${value}`),
      outcome: 'changed',
      difference: {
        action: 'change',
        fields: [{ name: 'line', to: `password=${value}` }],
        texts: [{ path: '/etc/a', before: known(''), after: `wanted text ${value}\n` }],
        parts: [
          {
            name: value,
            difference: {
              action: 'create',
              fields: [],
              texts: [{ path: '/etc/b', before: known(''), after: 'wanted text' }],
            },
          },
        ],
      },
      ...(before !== undefined && { before: [before] }),
    })
    const without = journalOf([change(), { kind: 'waiting', play: 'web', host: 'web1', for: value }])
    expect(without).not.to.match(/horse|wanted text/)
    expect(without).to.include('password=***')
    const shown = journalOf([change(`was ${value}\n`)])
    expect(shown).to.include('wanted text ***').and.not.to.match(/horse/)
  })

  it('can be read to the last complete line after a crash', () => {
    const text = journalOf(EVENTS)
    const all = parseJournal(text).lines.length
    expect(parseJournal(text.slice(0, -20)).lines).to.have.length(all - 1)
    expect(timelineOf(text.slice(0, -20)).summary).to.equal(undefined)
  })

  it('becomes a timeline of each host', () => {
    const { hosts } = timelineOf(journalOf(EVENTS))
    expect(Object.fromEntries(hosts.map(({ name, outcome }) => [name, outcome]))).to.deep.equal({
      // The play was skipped after web2 had failed.
      web1: 'skipped',
      web2: 'failed',
      balancer1: 'unreachable',
    })
    const web1 = hosts.find(({ name }) => name === 'web1')
    expect(web1?.entries.map(({ title }) => title)).to.include('file /etc/motd')
    expect(web1?.spans.map(({ kind }) => kind)).to.include.members(['login', 'read', 'apply'])
  })
})
