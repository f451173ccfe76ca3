import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { fastFailoverChecks } from '../../roles/fast-failover/checks.ts'
import { type FastFailoverParams, fastFailover, withoutFastFailover } from '../../roles/fast-failover/index.ts'
import { programFiles } from '../../roles/fast-failover/templates.ts'
import { Secret } from '../../src/index.ts'
import { stepsOf, textAt } from './expanded.ts'

const PARAMS: FastFailoverParams = {
  name: 'witness1',
  address: '10.0.0.9',
  certificate: { certificate: 'the certificate', key: new Secret(() => 'the-key-of-witness1') },
  authority: 'the authority',
  databases: [1, 2].map((number) => ({ name: `db${number}`, address: `10.0.0.${number}` })),
}
const DEBIAN = { os: { id: 'debian', version: '13', codename: 'trixie' } }

/** The observation at one moment, as `decision.py` has it. */
interface Seen {
  readonly rested: number
  readonly etcd: number | null
  readonly leader: string | null
  readonly paused: boolean | null
  readonly replica: string | null
  readonly loop_wait: number
  readonly silence: number | null
  readonly lease: number
  readonly healthy: number | null
  readonly wal: number | null
}

/** The host of the leader is lost: the only observation that leads to a deletion. */
const LOST: Seen = {
  ...{ rested: 30, etcd: 0.4, leader: 'db1', paused: false, replica: 'db2', loop_wait: 2 },
  ...{ silence: 2, lease: 3, healthy: 0.4, wal: 1.5 },
}

/** Of each field, each observation that forbids a deletion, with the reason. The order is that of the reasons. */
const BLOCKERS: readonly (readonly [Partial<Seen>, string])[] = [
  [{ etcd: null }, 'no majority of etcd answers'],
  [{ etcd: 1.6 }, 'no majority of etcd answers'],
  [{ leader: null }, 'no host leads'],
  [{ paused: null }, 'the settings of Patroni are not known'],
  [{ paused: true }, 'automatic failover is paused'],
  [{ replica: null }, 'no replica has each acknowledged write'],
  [{ silence: null }, 'db1 is not in the inventory'],
  [{ silence: 1.9 }, 'db1 answers'],
  [{ healthy: null }, 'db2 does not answer, or is not a healthy replica'],
  [{ healthy: 1.6 }, 'db2 does not answer, or is not a healthy replica'],
  [{ wal: null }, 'db2 still receives data from db1'],
  [{ wal: 1.4 }, 'db2 still receives data from db1'],
  [{ lease: 2.9 }, 'db1 still renews its lease in etcd'],
  [{ loop_wait: 5 }, 'db1 still renews its lease in etcd'],
  [{ rested: 29 }, 'the last deletion or the start of this program is less than 30 s ago'],
]

/** Every combination of one value for each field, with the reasons of the values that forbid a deletion. */
function combinations(): readonly { readonly seen: Seen; readonly reasons: readonly string[] }[] {
  const fields = [...new Set(BLOCKERS.flatMap(([change]) => Object.keys(change)))]
  return fields.reduce<readonly { readonly seen: Seen; readonly reasons: readonly string[] }[]>(
    (all, field) => {
      const bad = BLOCKERS.filter(([change]) => field in change)
      return all.flatMap(({ seen, reasons }) => [
        { seen, reasons },
        ...bad.map(([change, reason]) => ({ seen: { ...seen, ...change }, reasons: [...reasons, reason] })),
      ])
    },
    [{ seen: LOST, reasons: [] }],
  )
}

describe('role fast-failover', () => {
  const directory = mkdtempSync(join(tmpdir(), 'provision-fast-failover-'))
  for (const [name, text] of Object.entries(programFiles())) writeFileSync(join(directory, name), text)
  after(() => rmSync(directory, { recursive: true }))

  /** Evaluates Python with the program's modules; `given` is the input as JSON, the output is JSON. */
  const python = (code: string, given: unknown): unknown => {
    const { status, stdout, stderr } = spawnSync(
      'python3',
      [
        '-c',
        `import json, sys\nsys.dont_write_bytecode = True\nsys.path.insert(0, ${JSON.stringify(directory)})\n${code}`,
      ],
      { input: JSON.stringify(given), encoding: 'utf8', maxBuffer: 2 ** 28 },
    )
    expect(status, stderr).to.equal(0)
    return JSON.parse(stdout)
  }
  const decide = (all: readonly Seen[], by = 'decide') =>
    python(
      `import decision\nprint(json.dumps([decision.${by}(decision.Seen(**one)) for one in json.load(sys.stdin)]))`,
      all,
    ) as readonly (string | null)[]

  before(function () {
    if (spawnSync('python3', ['-c', 'import ssl']).status !== 0) this.skip()
  })

  it('deletes the key for exactly one of all combinations of observations', () => {
    const all = combinations()
    expect(all.length).to.equal(3 * 2 * 3 * 2 * 3 * 3 * 3 * 2 * 2 * 2)
    const answers = decide(all.map(({ seen }) => seen))
    const wrong = all.filter(({ reasons }, i) => {
      const answer = answers[i]
      return answer === null ? reasons.length > 0 : answer === undefined || !reasons.includes(answer)
    })
    expect(wrong).to.deep.equal([])
    expect(answers.filter((answer) => answer === null)).to.have.length(1)
  })

  it('keeps the key if any one observation forbids a deletion, and tells which', () => {
    expect(decide(BLOCKERS.map(([change]) => ({ ...LOST, ...change })))).to.deep.equal(BLOCKERS.map(([, said]) => said))
  })

  it('tells in advance what would prevent a deletion', () => {
    const idle: Seen = { ...LOST, silence: 0.2, lease: 1, wal: 0.1, healthy: 4, rested: 1 }
    const cases: readonly (readonly [Partial<Seen>, string | null])[] = [
      [{}, null],
      [{ silence: 2 }, 'db1 does not answer'],
      [{ healthy: 11 }, 'db2 does not answer, or is not a healthy replica'],
      [{ replica: null }, 'no replica has each acknowledged write'],
      [{ paused: true }, 'automatic failover is paused'],
      [{ etcd: null }, 'no majority of etcd answers'],
    ]
    expect(
      decide(
        cases.map(([change]) => ({ ...idle, ...change })),
        'blocker',
      ),
    ).to.deep.equal(cases.map(([, said]) => said))
  })

  it('takes the replica from /sync only if that belongs to the present leader', () => {
    const cases = [
      ['{"leader": "db1", "sync_standby": "db2"}', 'db1', 'db2'],
      ['{"leader": "db2", "sync_standby": "db1"}', 'db1', null],
      ['{"leader": "db1", "sync_standby": null}', 'db1', null],
      ['{"leader": "db1", "sync_standby": "db2"}', null, null],
      [null, 'db1', null],
    ] as const
    const found = python(
      'import etcd\nprint(json.dumps([etcd.replica_in(*one[:2]) for one in json.load(sys.stdin)]))',
      cases,
    )
    expect(found).to.deep.equal(cases.map(([, , replica]) => replica))
  })

  it('notices each renewal of a lease, and takes the extension at an election of etcd for none', () => {
    // The time of the read, the rest of the lease, and the term of etcd. The first column of the result counts renewals.
    const reads = [
      [100, 19, 1, true],
      [101, 18, 1, false],
      [102, 17, 1, false],
      [102.5, 19, 1, true],
      [103.5, 18, 1, false],
      [104, 19, 2, false],
      [105, 18, 2, false],
      [106, 19, 2, true],
    ] as const
    const found = python(
      `import etcd
renewals, before, said = etcd.Renewals(0), 0, []
for at, ttl, term, _ in json.load(sys.stdin):
    cluster = etcd.Cluster(at=at, term=term, leader="db1", lease="7", ttl=ttl, replica=None, config={}, revisions={})
    renewals.add(cluster)
    said.append(renewals.at != before)
    before = renewals.at
print(json.dumps(said))`,
      reads,
    )
    expect(found).to.deep.equal(reads.map(([, , , renewed]) => renewed))
  })

  it('counts a refused connection as an answer, and a host that accepts it and says nothing as silent', () => {
    const found = python(
      `import main, socket
main.TIMEOUT, main.REST_PORT = 0.2, 0
silent = socket.create_server(("127.0.0.1", 0))
closed = socket.create_server(("127.0.0.1", 0))
ports = [silent.getsockname()[1], closed.getsockname()[1]]
closed.close()
import ssl
said = []
for main.REST_PORT in ports:
    said.append(main.request("127.0.0.1", "/liveness", ssl.create_default_context()))
print(json.dumps(said))`,
      [],
    )
    expect(found).to.deep.equal([null, ''])
  })

  it('counts only a running replica as healthy', () => {
    const state = (more: object) =>
      JSON.stringify({ role: 'replica', state: 'running', xlog: { received_location: 7 }, ...more })
    const cases = [
      [state({}), true],
      [state({ state: 'streaming' }), true],
      [state({ role: 'primary' }), false],
      [state({ state: 'starting' }), false],
      ['', false],
      [null, false],
      ['no JSON', false],
    ] as const
    const found = python(
      `import main
said = []
for text, _ in json.load(sys.stdin):
    replica = main.Replica()
    replica.add(text)
    said.append(replica.healthy is not None)
print(json.dumps(said))`,
      cases,
    )
    expect(found).to.deep.equal(cases.map(([, healthy]) => healthy))
  })

  it('installs the program with a key that only root can read, and a unit without rights', () => {
    const steps = stepsOf(fastFailover(PARAMS), DEBIAN)
    expect(JSON.parse(textAt(steps, '/etc/provision-fast-failover/config.json'))).to.deep.equal({
      etcd: '10.0.0.9',
      prefix: '/provision/main/',
      members: { db1: '10.0.0.1', db2: '10.0.0.2' },
    })
    const unit = textAt(steps, '/etc/systemd/system/provision-fast-failover.service')
    expect(unit).to.include('\nDynamicUser=yes\n').and.include('\nCapabilityBoundingSet=\n')
    expect(unit).to.include('LoadCredential=host.key:/etc/provision-fast-failover/tls/host.key\n')
  })

  it('rejects a host with a database, and a single database host', () => {
    expect(() => fastFailover({ ...PARAMS, name: 'db1' })).to.throw(
      'db1 has a database, and would be lost together with it.',
    )
    expect(() => fastFailover({ ...PARAMS, databases: PARAMS.databases.slice(0, 1) })).to.throw(
      'A failover needs two database hosts.',
    )
  })

  it('is removed where it is, and changes nothing where it is not', () => {
    const [step] = stepsOf(withoutFastFailover({}))
    expect(step?.diff(true)?.action).to.equal('remove')
    expect(step?.diff(false)).to.equal(undefined)
  })

  it('has checks for the host', () => {
    const labels = fastFailoverChecks({ ...PARAMS, group: 'witness' }).map(({ label }) => label)
    expect(labels).to.include('would notice the loss of the primary')
  })
})
