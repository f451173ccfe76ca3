import { expect } from 'chai'
import { plain } from '../../../src/report/problem.ts'
import { byTime, type LogEntry, logEntry, logLine } from '../../../src/report/tables/log-entry.ts'

describe('an entry of the journal of a host', () => {
  const read = (fields: object) =>
    logEntry('web1', JSON.stringify({ __REALTIME_TIMESTAMP: '1700000000123456', ...fields }))

  it('shows time, host, program and message', () => {
    const fields = { SYSLOG_IDENTIFIER: 'nginx', _PID: '812', MESSAGE: 'hello', PRIORITY: '3' }
    expect(read(fields)).to.deep.equal({
      host: 'web1',
      time: 1_700_000_000_123_456,
      who: 'nginx[812]',
      message: 'hello',
      priority: 3,
    })
  })

  it('may have a binary, repeated or missing message and no name', () => {
    expect(read({ MESSAGE: [104, 195, 182], _COMM: 'sh' })).to.include({
      message: 'hö',
      who: 'sh',
      priority: 6,
    })
    expect(read({ MESSAGE: ['one', 'two'] })).to.include({ message: 'one\ntwo', who: 'unknown' })
    expect(read({ MESSAGE: null })).to.include({ message: '' })
    expect(logEntry('web1', '-- No entries --')).to.equal(undefined)
    expect(logEntry('web1', '{"MESSAGE":"no time"}')).to.equal(undefined)
  })

  it('is shown without control characters, with further lines indented', () => {
    const entry = read({ MESSAGE: 'one\u0007\n\u001b[2Jtwo', SYSLOG_IDENTIFIER: 'x' })
    const line = entry && logLine(entry, 5, plain)
    expect(line).to.match(/^\d\d-\d\d \d\d:\d\d:\d\d\.123 web1 {2}x: one\\x07\n {4}two$/)
  })

  it('keeps its order among entries of the same time', () => {
    const at = (time: number, message: string): LogEntry => ({
      host: 'web1',
      time,
      who: 'x',
      message,
      priority: 6,
    })
    const sorted = [at(2, 'b'), at(1, 'a'), at(2, 'c')].sort(byTime)
    expect(sorted.map(({ message }) => message)).to.deep.equal(['a', 'b', 'c'])
  })
})
