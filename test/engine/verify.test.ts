import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { type VerifyOptions, verify } from '../../src/engine/verify.ts'
import { type Check, type Checks, check, expect as expected, type Output, output } from '../../src/model/check/check.ts'
import { verification } from '../../src/model/check/verification.ts'
import type { Group, Host } from '../../src/model/inventory/host.ts'
import { inventory } from '../../src/model/inventory/inventory.ts'
import { hosts, inventorySchema } from '../../src/model/inventory/schema.ts'
import { http } from '../../src/model/playbook/probe.ts'
import { Problem, Unknown } from '../../src/model/problem.ts'
import { ask, askEach, askHost, mapAnswers } from '../../src/model/resource/question.ts'
import { read } from '../../src/model/resource/read.ts'
import { sh } from '../../src/shell/sh.ts'
import type { Session } from '../../src/transport/session/session.ts'
import { ownRig } from '../support/rig.ts'

describe('a verification', () => {
  const rig = ownRig()
  const sessions = new Map<string, Session>()
  const locks: boolean[] = []

  beforeEach(() => {
    sessions.clear()
    locks.length = 0
  })

  const site = inventorySchema({ web: hosts() })
  const verified = (
    checks: (web: Group) => Checks,
    { limit, dead }: Pick<VerifyOptions, 'limit'> & { readonly dead?: string } = {},
  ) =>
    verify(
      {
        inventory: inventory(site, {
          web: { hosts: { web1: { address: '127.0.0.1' }, web2: { address: '127.0.0.2' } } },
        }),
        verification: verification(site, ({ web }) => checks(web)),
        ...(limit && { limit }),
      },
      async (host, options) => {
        if (host.name === dead) throw new Error('no route to it')
        locks.push(options.lock)
        const opened = await rig.open(host, options)
        sessions.set(host.name, opened.session)
        return opened
      },
    )
  /** The result of each check, one per line, without the built-in checks. */
  const lines = async (...given: Parameters<typeof verified>) =>
    (await verified(...given)).findings
      .filter(({ label }) => !label.startsWith('nothing is left'))
      .map(({ about, label, outcome, problem }) =>
        [about, label, outcome, problem?.message].filter(Boolean).join(' · '),
      )
  const name = ask(
    'a name',
    read(sh`echo one`, ({ stdout }) => stdout.trim()),
  )

  it('reads each host in one round trip, read-only, and reports the duration of each check', async () => {
    const { findings, unreachable } = await verified((web) => [
      web.hosts.map((host) => [
        check(host, 'is well', sh`true`),
        check(host, 'is as well', sh`sleep 0.05`),
        expected('has a name', askHost(host, name), (one) => (one === 'one' ? undefined : `it is ${one}`)),
      ]),
      false,
    ])
    expect(findings.map(({ outcome }) => outcome)).to.deep.equal(Array(8).fill('passed'))
    expect(findings[1]?.ms).to.be.greaterThan(49)
    expect(unreachable.size).to.equal(0)
    expect([...sessions.values()].map(({ trips }) => trips)).to.deep.equal([1, 1])
    expect(locks).to.deep.equal([false, false])
  })

  it('reports the last lines of a check that fails, and the next action', async () => {
    const { findings } = await verified((web) =>
      web.hosts
        .slice(0, 1)
        .map((host) => check(host, 'is well', sh`echo first; echo 'a "b" $c é' >&2; exit 3`, { next: 'Do this.' })),
    )
    const { problem } = findings[0] ?? {}
    expect([problem?.message, problem?.details, problem?.next]).to.deep.equal(['first', ['a "b" $c é'], 'Do this.'])
  })

  it('tries a probe once, and reports the status of a script without output', async () => {
    const said = await lines((web) =>
      web.hosts
        .slice(0, 1)
        .map((host) => [check(host, 'answers', http('http://127.0.0.1:1/')), check(host, 'is silent', sh`exit 4`)]),
    )
    expect(said[0]).to.match(/^web1 · answers · failed · curl: \(7\)/)
    expect(said.slice(1)).to.deep.equal(['web1 · is silent · failed · it ended with status 4'])
  })

  it('has the result unknown after a timeout, a signal or status 75, without a next action', async () => {
    const { findings } = await verified((web) =>
      web.hosts.slice(0, 1).map((host) => [
        check(host, 'ends', sh`echo begun; sleep 1000`, { timeout: '100ms', next: 'Renew it.' }),
        check(host, 'lives', sh`kill -9 $$`, { next: 'Renew it.' }),
        check(host, 'can tell', sh`echo 'the server does not answer'; exit 75`, { next: 'Renew it.' }),
        check(host, 'has a word', sh`exit 75`),
        expected('is seen', askHost(host, name), () => new Unknown('no host has seen it'), {
          next: 'Renew it.',
        }),
      ]),
    )
    const found = findings.slice(0, 5)
    expect(found.map(({ outcome }) => outcome)).to.deep.equal(Array(5).fill('unknown'))
    expect(found.map(({ problem }) => problem?.next)).to.deep.equal(Array(5).fill(undefined))
    const [limit, ...others] = found.map(({ problem }) => problem?.message)
    expect(limit).to.match(/^no answer within .+ s \(an empty script took .+ s on the host\)$/)
    expect(others).to.deep.equal([
      'it was ended by signal 9',
      'the server does not answer',
      'it could not be asked',
      'no host has seen it',
    ])
    expect(found[0]?.problem?.details).to.deep.equal(['begun'])
  })

  it('repeats only the checks that do not pass, once, after all others', async () => {
    const directory = rig.empty()
    const log = `${directory}/log`
    const only = (web: Group): Checks =>
      web.hosts
        .slice(0, 1)
        .map((host) => [
          check(host, 'gets well', sh`echo a >> ${log}; n=$(grep -c a ${log}); [ "$n" -gt 1 ]`),
          check(host, 'is well', sh`echo b >> ${log}`),
          check(host, 'is known later', sh`[ -e ${`${directory}/c`} ] || { : > ${`${directory}/c`}; exit 75; }`),
          check(host, 'stays ill', sh`echo d >> ${log}; exit 1`),
        ])
    expect(await lines(only, { limit: ({ name: host }) => host === 'web1' })).to.deep.equal([
      'web1 · gets well · passed',
      'web1 · is well · passed',
      'web1 · is known later · passed',
      'web1 · stays ill · failed · it ended with status 1',
    ])
    expect(readFileSync(log, 'utf8').split('\n').sort().join('')).to.equal('aabdd')
    expect(sessions.get('web1')?.trips).to.equal(2)
  })

  it('provides the output of a script as an answer, with its times', async () => {
    const began = Date.now()
    const seen: unknown[] = []
    await verified((web) =>
      web.hosts.slice(0, 1).map((host) => [
        expected('has words', askHost(host, output('words', sh`seq 1 400`)), (one) => {
          seen.push(one)
          return undefined
        }),
        expected('has none', askHost(host, output('none', sh`echo no; exit 1`)), (one) =>
          one instanceof Problem ? one : undefined,
        ),
      ]),
    )
    const [words] = seen as Output[]
    expect(words?.said.trim().split('\n')).to.have.length(400)
    expect(words?.from).to.be.within(began - 20, Date.now())
    expect(words?.to).to.be.within(words?.from ?? 0, Date.now() + 20)
  })

  it('runs the checks of a host in parallel', async () => {
    const directory = rig.empty()
    const meets = (own: string, other: string) =>
      sh`: > ${`${directory}/${own}`}; until [ -e ${`${directory}/${other}`} ]; do sleep 0.01; done`
    const said = await lines((web) =>
      web.hosts.slice(0, 1).map((host) => [check(host, 'a', meets('a', 'b')), check(host, 'b', meets('b', 'a'))]),
    )
    expect(said).to.deep.equal(['web1 · a · passed', 'web1 · b · passed'])
  })

  it('checks the other hosts if one is unreachable, and does not judge without its answer', async () => {
    const well = (web: Group): Checks => [
      web.hosts.map((host) => check(host, 'is well', sh`true`)),
      expected('all have a name', askEach(web, name), (all) =>
        all.some(({ answer }) => answer === undefined) ? 'one has none' : undefined,
      ),
    ]
    expect(await lines(well, { dead: 'web2' })).to.deep.equal([
      'web1 · is well · passed',
      'web2 · is well · unknown',
      'web · all have a name · unknown',
    ])
    const { unreachable } = await verified(well, { dead: 'web2' })
    expect([...unreachable].map(([host, { message }]) => `${host}: ${message}`)).to.deep.equal([
      'web2: web2: no route to it',
    ])
  })

  it('judges without the answer of an unreachable host with ignoreUnreachable', async () => {
    const known = (all: readonly { readonly answer: string | undefined }[]) => {
      const names = all.map(({ answer }) => answer ?? 'no answer')
      return names.includes('one') ? `web2 gave ${names[1]}` : new Unknown('no host answers')
    }
    const checks = (web: Group) => expected('has a name', askEach(web, name), known, { ignoreUnreachable: true })
    expect(await lines(checks, { dead: 'web2' })).to.deep.equal(['web · has a name · failed · web2 gave no answer'])
  })

  it('has the result unknown for an invalid answer, and failed if the judgement throws', async () => {
    const broken = ask(
      'broken',
      read(sh`echo x`, (): string => {
        throw new Error('half an answer')
      }),
    )
    const { findings } = await verified((web) => {
      const [host = web.hosts[0] as Host] = web.hosts
      return [
        expected('is sound', askHost(host, broken), () => undefined),
        expected('is judged', mapAnswers(askHost(host, name), refuses), () => undefined),
        check(host, 'is well', sh`true`),
      ]
    })
    const found = findings.slice(0, 3)
    expect(found.map(({ outcome, problem }) => `${outcome} ${problem?.message ?? ''}`)).to.deep.equal([
      'unknown web1: its answer to "broken" makes no sense: half an answer',
      'failed web1: two leaders',
      'passed ',
    ])
    expect(found[1]?.problem?.where)
      .to.have.property('file')
      .that.match(/verify\.test\.ts$/)
  })

  it('reads only the hosts of the limit', async () => {
    const checks = (web: Group): readonly Check[] => [
      ...web.hosts.map((host) => check(host, 'is well', sh`true`)),
      expected('all have a name', askEach(web, name), () => undefined),
    ]
    const one = ({ name: host }: Host) => host === 'web2'
    expect(await lines(checks, { limit: one })).to.deep.equal(['web2 · is well · passed'])
    expect([...sessions.keys()]).to.deep.equal(['web2'])
  })

  it('finds the state that a killed run has left', async function () {
    if (!rig.machine.isPrivate) return this.skip()
    const session = (await rig.open({ name: 'web1', group: 'web', address: '' }, { lock: false })).session
    await session.run([
      {
        script: sh`cd /var/lib && mkdir -p provision/pending-handlers provision/drains provision/transactions/x
echo 'nginx configuration' > provision/transactions/x/label
: > provision/pending-handlers/reload%20nginx; : > provision/drains/web2:out%20of%20web`,
      },
    ])
    const { findings } = await verified(() => [])
    await session.run([{ script: sh`rm -r /var/lib/provision` }])
    await session.close()
    const { problem } = findings[0] ?? {}
    expect([problem?.message, ...(problem?.details ?? [])].join('\n')).to.match(
      /^pending handler: reload nginx\nweb2 is still drained \(out of web\); to undrain it: sh .*\nunfinished: transaction nginx configuration$/,
    )
    expect(existsSync('/var/lib/provision/pending-handlers/reload%20nginx')).to.equal(false)
  })
})

function refuses(): never {
  throw new Error('two leaders')
}
