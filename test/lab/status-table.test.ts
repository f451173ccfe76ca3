import { expect } from 'chai'
import { statusTable } from '../../src/lab/commands/lab.ts'

describe('the table of lab status', () => {
  it('has one row per host with its faults', () => {
    const host = { power: 'running', faults: [], since: 0, leader: 1 } as const
    const table = statusTable(
      [
        { ...host, name: 'lb1', address: '198.18.0.11', port: 2211 },
        { ...host, name: 'web1', address: '198.18.0.21', port: 2221, power: 'off', leader: undefined },
        { ...host, name: 'db1', address: '198.18.0.41', port: 2241, faults: ['cut', '50 ms away'] },
      ],
      65_000,
    )
    expect(table.split('\n')).to.deep.equal([
      'host  address      state                     up for      ssh',
      'lb1   198.18.0.11  running                   1 min 05 s  127.0.0.1:2211',
      'web1  198.18.0.21  off                                   127.0.0.1:2221',
      'db1   198.18.0.41  running, cut, 50 ms away  1 min 05 s  127.0.0.1:2241',
    ])
  })
})
