import { expect } from 'chai'
import { historyOf, recordedRun } from '../../../src/report/journal/history.ts'
import { refused, step } from '../terminal/script.ts'
import { applying, changedStep, journalText, okStep, runOf } from './runs.ts'

describe('the history of a step', () => {
  const isMotd = (host: string, { name }: { readonly name: string }) => host === 'web1' && name === '/etc/motd'
  const failed = (name: string) =>
    ({
      kind: 'step',
      play: 'web',
      host: 'web1',
      step: step('file', name, 'base'),
      outcome: 'failed',
      problem: refused,
    }) as const

  it('names the last run that changed it, and the last that found it in the declared state', () => {
    const runs = [
      runOf(3, [okStep('/etc/motd')]),
      runOf(2, [applying('/etc/motd'), changedStep('/etc/motd', { mode: ['0600', '0644'] })]),
      runOf(1, [changedStep('/etc/motd', { mode: [undefined, '0600'] })]),
    ]
    const { changed, ok } = historyOf(runs, isMotd)
    expect(changed?.run.about.id).to.equal('20260102-000000-000a')
    expect(changed?.step.difference?.fields).to.deep.equal([{ name: 'mode', from: '0600', to: '0644' }])
    expect(ok?.run.about.id).to.equal('20260103-000000-000a')
  })

  it('ignores dry runs, other hosts and other steps', () => {
    const planned = changedStep('/etc/motd', { mode: ['0600', '0644'] }, { outcome: 'planned' })
    expect(historyOf([runOf(1, [planned], 'plan'), runOf(1, [okStep('/etc/other')])], isMotd)).to.deep.equal({})
    expect(historyOf([runOf(1, [okStep('/etc/motd')])], (host) => host === 'web2')).to.deep.equal({})
  })

  it('contains failures, with their message', () => {
    const { changed, ok } = historyOf([runOf(1, [applying('/etc/motd', '/etc/b'), failed('/etc/motd')])], isMotd)
    expect([changed?.step.outcome, changed?.step.problem?.message, ok]).to.deep.equal([
      'failed',
      refused.message,
      undefined,
    ])
  })

  it('contains a step that was in progress when the run was killed or the host was lost', () => {
    const { changed } = historyOf([runOf(1, [applying('/etc/motd')])], isMotd)
    expect(changed?.step.outcome).to.equal('unfinished')
  })

  it('does not contain the steps that were sent with one that failed', () => {
    const run = runOf(1, [applying('/etc/a', '/etc/motd'), failed('/etc/a')])
    expect(historyOf([run], isMotd)).to.deep.equal({})
  })

  it('is read from an incomplete record, and not from another file', () => {
    const text = journalText(1, [okStep('/etc/motd'), okStep('/etc/b')])
    expect(recordedRun(`${text}{"t": 1, "ki`).steps).to.deep.equal([])
    expect(() => recordedRun('{"a": 1}\n')).to.throw(SyntaxError)
  })
})
