import { join } from 'node:path'
import { expect } from 'chai'
import { type Host, Problem } from 'provision-ts'
import { notes } from '../../inventory/notes.ts'
import { targetOf } from '../../src/api/sessions.ts'
import { timeouts } from '../../src/transport/ssh/settings.ts'
import { lastHostProblem, noReplicaLeftProblem, type TierHostState } from '../../stack/lib/gates.ts'
import { withShortTimeouts } from '../../stack/operations/failover.ts'
import { chooseRelease } from '../../stack/operations/rollback.ts'
import { ROOT } from '../architecture/files.ts'

describe('the check that a host of a tier can be drained', () => {
  const host = (name: string): Host => ({ name, group: 'web', address: '10.0.0.1' })
  const stated = (...words: readonly ('up' | 'down' | 'away' | 'lost')[]): readonly TierHostState[] =>
    words.map((word, i) => ({
      host: host(`web${i + 1}`),
      state: word === 'lost' ? undefined : { ready: word !== 'down', maintenance: word === 'away' },
    }))
  const refusal = (all: readonly TierHostState[], away?: string) =>
    lastHostProblem('web', all, away === undefined ? undefined : host(away))?.message

  it('accepts any of them while another one stays in service', () => {
    expect(refusal(stated('up', 'up'))).to.equal(undefined)
    expect(refusal(stated('up', 'up', 'lost'))).to.equal(undefined)
  })

  it('rejects the last one in service, for each reason that the others are not', () => {
    for (const other of ['down', 'away', 'lost'] as const)
      expect(refusal(stated('up', other)), other).to.include('web1 is the last host of web in service')
    expect(refusal(stated('up'))).to.include('web1 is the last')
  })

  it('accepts one that is not in service, and any if none is', () => {
    expect(refusal(stated('up', 'down'), 'web2')).to.equal(undefined)
    expect(refusal(stated('up', 'down'), 'web1')).to.include('web1 is the last')
    expect(refusal(stated('down', 'down'))).to.equal(undefined)
  })
})

describe('the check that a database host can be away if synchronous is strict', () => {
  const host = (name: string): Host => ({ name, group: 'db', address: '10.0.0.1' })
  const refusal = (states: readonly boolean[], away?: string) =>
    noReplicaLeftProblem(
      states.map((ready, i) => ({ host: host(`db${i + 1}`), state: { ready, maintenance: false } })),
      away === undefined ? undefined : host(away),
    )?.message

  it('accepts one of three, and one that is not in service', () => {
    expect(refusal([true, true, true])).to.equal(undefined)
    expect(refusal([true, true, true], 'db2')).to.equal(undefined)
    expect(refusal([true, false], 'db2')).to.equal(undefined)
  })

  it('rejects the last replica', () => {
    for (const away of [undefined, 'db2'])
      expect(refusal([true, true], away)).to.equal(
        'No replica would be left, and writes would wait: synchronous is strict',
      )
    expect(refusal([true, true, false], 'db2')).to.include('No replica would be left, and writes would wait')
  })
})

describe('a failover', () => {
  const limits = (host: Host, factor?: number) =>
    timeouts({ target: targetOf(withShortTimeouts(host), factor), config: new Map(), options: {} })
  const host: Host = { name: 'db1', group: 'db', address: '10.0.0.1' }

  it('gives up a host after 1 s, if its network or its sshd is silent', () => {
    for (const own of [host, { ...host, ssh: { connectTimeout: '30s' }, timeouts: { login: '2m' } } as const])
      expect(limits(own)).to.include({ connectTimeout: 1_000, loginTimeout: 1_000 })
  })

  it('waits longer with a factor', () => {
    const stretched = { connectTimeout: 3_000, loginTimeout: 3_000 }
    expect(limits({ ...host, timeouts: { factor: 3 } })).to.include(stretched)
    expect(limits(host, 3)).to.include(stretched)
  })
})

describe('the build of the application', () => {
  it('is read from the folder that its script writes', () => {
    expect(notes.build.directory).to.equal(join(ROOT, 'examples/notes-api/dist'))
  })
})

describe('the target release of a rollback', () => {
  type State = 'used' | 'rolled back' | undefined
  const having = (name: string, current: string, ...all: readonly (readonly [string, State])[]) => ({
    host: { name },
    current,
    all: all.map(([id, state]) => ({ id, state })),
  })

  const refusal = (found: string | Problem) => (found instanceof Problem ? found.message : found)

  it('is the last current one before this one, but not a rejected or rolled-back one', () => {
    const all = [
      ['c', 'used'],
      ['b', 'used'],
      ['a', 'used'],
      ['out', 'rolled back'],
      ['bad', undefined],
    ] as const
    expect(chooseRelease([having('app1', 'c', ...all), having('web1', 'c', ...all)])).to.equal('b')
  })

  it('is one that all hosts still have', () => {
    expect(
      chooseRelease([
        having('app1', 'c', ['c', 'used'], ['b', 'used'], ['a', 'used']),
        having('app2', 'c', ['c', 'used'], ['a', 'used']),
      ]),
    ).to.equal('a')
    expect(
      refusal(chooseRelease([having('app1', 'c', ['c', 'used'], ['b', 'used']), having('app3', 'c', ['c', 'used'])])),
    ).to.include('There is no earlier release that all hosts still have')
  })

  it('is that of an interrupted rollback; otherwise different hosts have no common target', () => {
    const back = having('app1', 'a', ['a', 'used'], ['b', 'rolled back'])
    expect(chooseRelease([back, having('app2', 'b', ['b', 'used'], ['a', 'used'])])).to.equal('a')
    expect(
      refusal(
        chooseRelease([
          having('app1', 'a', ['a', 'used'], ['b', 'used']),
          having('app2', 'b', ['b', 'used'], ['a', 'used']),
        ]),
      ),
    ).to.include('The hosts do not run the same release')
  })

  it('is the requested one, if every host has it', () => {
    const one = having('app1', 'b', ['b', 'used'], ['bad', undefined])
    expect(chooseRelease([one], 'bad')).to.equal('bad')
    expect(refusal(chooseRelease([one], 'no'))).to.include('Not every host has release no')
  })
})
