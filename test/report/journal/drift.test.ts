import { expect } from 'chai'
import type { RunEvent } from '../../../src/model/event.ts'
import { driftHistory, LeftStates } from '../../../src/report/journal/drift.ts'
import type { RecordedRun } from '../../../src/report/journal/history.ts'
import { applying, changedStep, okStep, runOf } from './runs.ts'

describe('drift', () => {
  const created = changedStep(
    '/etc/motd',
    { mode: [undefined, '0644'], content: [undefined, 'aaaa'] },
    { action: 'create' },
  )
  /** The drifts that a dry run finds after these runs. */
  const after = (runs: readonly RecordedRun[], ...planned: readonly RunEvent[]) => {
    const left = new LeftStates()
    for (const run of runs) left.add(run)
    return left.driftsIn(runOf(20, planned, 'plan'))
  }
  const planned = (values: Parameters<typeof changedStep>[1], action: 'change' | 'create' = 'change') =>
    changedStep('/etc/motd', values, { outcome: 'planned', action })

  it('is a change on the host if the declaration is that of the last run', () => {
    const [found] = after([runOf(1, [created]), runOf(2, [okStep('/etc/motd')])], planned({ mode: ['0600', '0644'] }))
    expect(found?.cause).to.equal('host')
    expect(found?.fields).to.deep.equal([{ name: 'mode', now: '0600', left: '0644', declared: '0644' }])
    expect(found?.last?.id).to.equal('20260102-000000-000a')
    expect(found?.step).to.deep.include({ kind: 'file', name: '/etc/motd', roles: ['base'] })
  })

  it('is a change of the declaration if the host is as the last run left it', () => {
    const [found] = after([runOf(1, [created])], planned({ mode: ['0644', '0600'] }))
    expect(found?.cause).to.equal('declaration')
  })

  it('is both if the host has neither the declared value nor that of the last run', () => {
    expect(after([runOf(1, [created])], planned({ mode: ['0640', '0600'] }))[0]?.cause).to.equal('both')
    const two = planned({ mode: ['0600', '0644'], content: ['aaaa', 'bbbb'] })
    expect(after([runOf(1, [created])], two)[0]?.cause).to.equal('both')
  })

  it('is a change on the host if a thing is gone that a run has left', () => {
    const gone = planned({ mode: [undefined, '0644'] }, 'create')
    expect(after([runOf(1, [okStep('/etc/motd')])], gone)[0]?.cause).to.equal('host')
  })

  it('is unknown if no run has recorded the value, or the value is secret', () => {
    expect(after([runOf(1, [okStep('/etc/motd')])], planned({ mode: ['0600', '0644'] }))[0]?.cause).to.equal('unknown')
    const secret = changedStep('/etc/motd', { content: [undefined, 'a secret'] })
    expect(after([runOf(1, [secret])], planned({ content: [undefined, 'a secret'] }))[0]?.cause).to.equal('unknown')
  })

  it('is new if runs of the host have not applied the step, and unknown without a run of the host', () => {
    expect(after([runOf(1, [okStep('/etc/other')])], planned({ mode: ['0600', '0644'] }))[0]?.cause).to.equal('new')
    expect(after([], planned({ mode: ['0600', '0644'] }))[0]?.cause).to.equal('unknown')
    expect(after([runOf(1, [created], 'plan')], planned({ mode: ['0600', '0644'] }))[0]?.cause).to.equal('unknown')
  })

  it('names a later run that did not complete the step', () => {
    const runs = [runOf(1, [created]), runOf(2, [applying('/etc/motd')])]
    const [found] = after(runs, planned({ mode: ['0600', '0644'] }))
    expect([found?.last?.id, found?.interrupted?.id]).to.deep.equal(['20260101-000000-000a', '20260102-000000-000a'])
    const healed = after([...runs, runOf(3, [okStep('/etc/motd')])], planned({ mode: ['0600', '0644'] }))
    expect(healed[0]?.interrupted).to.equal(undefined)
  })

  it('does not compare fields that several lines share', () => {
    const lines: RunEvent = {
      ...{ kind: 'step', play: 'web', host: 'web1', outcome: 'planned', known: true },
      step: { kind: 'file', name: '/etc/motd', roles: ['base'], source: undefined },
      difference: {
        action: 'change',
        fields: ['a', 'b'].map((text) => ({ name: 'line', from: text, to: `${text}!` })),
      },
    }
    const [found] = after([runOf(1, [changedStep('/etc/motd', { line: ['x', 'a!'] })])], lines)
    expect(found?.fields.map(({ left }) => left)).to.deep.equal([undefined, undefined])
    expect(found?.cause).to.equal('unknown')
  })

  it('has a history: when it was found, how long it was seen, and the run that corrected it', () => {
    const dry = (day: number) => runOf(day, [planned({ mode: ['0600', '0644'] })], 'plan')
    const corrected = changedStep('/etc/motd', { mode: ['0600', '0644'] })
    const history = driftHistory([runOf(5, [corrected]), dry(4), dry(3), runOf(2, [created]), runOf(1, [])])
    expect(history).to.have.length(1)
    const [one] = history
    expect([one?.found.id, one?.seen.id, one?.corrected?.id].map((id) => id?.slice(6, 8))).to.deep.equal([
      '03',
      '05',
      '05',
    ])
    expect(one?.fields[0]?.left).to.equal('0644')
  })

  it('that is open, or gone without a run, is part of the history; new declarations are not', () => {
    const dry = (day: number, event: RunEvent) => runOf(day, [event], 'plan')
    const moved = planned({ mode: ['0600', '0644'] })
    expect(driftHistory([dry(3, moved), runOf(2, [created])])[0]).to.not.have.any.keys('corrected', 'gone')
    const [gone] = driftHistory([dry(4, okStep('/etc/motd')), dry(3, moved), runOf(2, [created])])
    expect(gone?.gone?.id.slice(6, 8)).to.equal('04')
    expect(driftHistory([dry(3, planned({ mode: ['0644', '0600'] })), runOf(2, [created])])).to.deep.equal([])
    expect(driftHistory([runOf(2, [created])])).to.deep.equal([])
  })
})
