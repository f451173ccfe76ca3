import type { RunEvent, StepInfo } from '../../src/model/event.ts'
import { Problem } from '../../src/model/problem.ts'
import { known } from '../../src/model/resource/read.ts'
import type { JournalHeader } from '../../src/report/journal/format.ts'
import { journalWriter } from '../../src/report/journal/journal.ts'

export interface RunShape {
  readonly hosts: number
  readonly steps: number
  /** Indexes of failing and of unreachable hosts. */
  readonly failing?: readonly number[]
  readonly lost?: readonly number[]
  /** Text that is part of every name. */
  readonly word?: string
}

const TIERS = ['lb', 'web', 'app', 'db'] as const

/** A generated journal of this shape, and the milliseconds that writing it took. */
export function journalOfRun(shape: RunShape): { readonly text: string; readonly ms: number } {
  const { hosts: number, word = '' } = shape
  const hosts = Array.from({ length: number }, (_, i) => {
    const group = TIERS[Math.floor((i * TIERS.length) / number)] ?? 'db'
    return { name: `${group}${word}${i + 1}`, group, address: `10.0.${i >> 8}.${i & 255}` }
  })
  const about: Omit<JournalHeader, 'provision'> = {
    id: '20260102-030405-abcd',
    at: '2026-01-02T03:04:05.000Z',
    command: `provision --inventory inventory/prod.ts ${word}`.trim(),
    hosts,
  }
  const lines: string[] = []
  const events = [...eventsOf(shape, hosts)]
  const began = performance.now()
  const emit = journalWriter(about, (line) => lines.push(line))
  for (const event of events) emit(event)
  return { text: `${paced(lines).join('\n')}\n`, ms: performance.now() - began }
}

/** Distributes the lines over 20 s: all of them were written at once. */
function paced(lines: readonly string[]): readonly string[] {
  return lines.map((line, i) => line.replace(/^\{"t":\d+/, () => `{"t":${Math.round((i * 20_000) / lines.length)}`))
}

type Hosts = JournalHeader['hosts']

function* eventsOf({ steps, failing = [], lost = [], word = '' }: RunShape, hosts: Hosts): Generator<RunEvent> {
  const isLost = (i: number) => lost.includes(i)
  yield { kind: 'begin', mode: 'apply', hosts: hosts.map(({ name }) => name), plays: [...TIERS] }
  for (const [i, { name: host, group }] of hosts.entries()) {
    if (isLost(i)) {
      const problem = new Problem(`${host} cannot be reached: nothing listens at port 22`, {
        next: 'Is it up?',
      })
      yield { kind: 'unreachable', host, problem }
      continue
    }
    yield { kind: 'connected', host, ms: 40 }
    const above = TIERS[TIERS.indexOf(group as 'lb') - 1]
    const from =
      above === undefined ? 'anywhere' : hosts.filter((one) => one.group === above).map(({ address }) => address)
    yield {
      kind: 'refreshed',
      host,
      steps,
      differing: 3,
      ingress: [{ to: [above === undefined ? 443 : 8080], from }],
    }
  }
  for (const play of TIERS) {
    const own = hosts.map((host, i) => ({ ...host, i })).filter(({ group, i }) => group === play && !isLost(i))
    yield { kind: 'play', play, hosts: own.map(({ name }) => name) }
    for (const { name: host, i } of own)
      yield* turn({ play, host, steps, word, failing: failing.includes(i), text: `of ${play}` })
  }
  const summaries = hosts.map(({ name: host }, i) => ({
    host,
    ok: isLost(i) ? 0 : steps - 3,
    changed: isLost(i) ? 0 : 3,
    tentative: 0,
    deferred: 0,
    failed: failing.includes(i) ? 1 : 0,
    unreachable: isLost(i),
    skipped: 0,
    trips: isLost(i) ? 0 : 4,
  }))
  yield {
    kind: 'end',
    summary: {
      mode: 'apply',
      hosts: summaries,
      ms: 20_000,
      interrupted: false,
      sent: 204_800,
      received: 819_200,
    },
  }
}

interface TurnShape {
  readonly play: string
  readonly host: string
  readonly steps: number
  readonly word: string
  readonly failing: boolean
  readonly text: string
}

function* turn({ play, host, steps, word, failing, text }: TurnShape): Generator<RunEvent> {
  const step = (kind: string, name: string): StepInfo => ({
    kind,
    name: `${name}${word}`,
    roles: ['base', play],
    source: { file: '/site/roles/web.ts', line: 12, column: 5 },
  })
  const at = { play, host }
  const changing = [step('package', 'nginx'), step('file', '/etc/nginx/conf.d/site.conf'), step('service', 'nginx')]
  const [pkg, conf, service] = changing
  if (!pkg || !conf || !service) return
  yield { kind: 'turn', ...at, steps }
  for (let n = 3; n < steps; n++)
    yield { kind: 'step', ...at, step: step('file', `/etc/site/part-${n}.conf`), outcome: 'ok' }
  yield { kind: 'applying', ...at, steps: [pkg] }
  yield {
    kind: 'step',
    ...at,
    step: pkg,
    outcome: 'changed',
    difference: { action: 'install', fields: [{ name: 'nginx', to: '1.22' }] },
  }
  yield { kind: 'applying', ...at, steps: [conf, service] }
  yield {
    kind: 'step',
    ...at,
    step: conf,
    outcome: 'changed',
    difference: {
      action: 'change',
      fields: [
        { name: 'content', from: 'a', to: 'b' },
        { name: 'mode', from: '0600', to: '0644' },
      ],
      texts: [
        {
          path: '/etc/nginx/conf.d/site.conf',
          before: known(''),
          after: `server {\n  listen 8080;\n  # ${text} ${word}\n}\n`,
        },
      ],
    },
    before: ['server {\n  listen 80;\n}\n'],
  }
  if (failing) {
    const problem = new Problem(`${host}: service nginx failed: exit status 1`, {
      where: '/site/roles/web.ts:12:5',
      details: [
        '$ systemctl reload nginx',
        `  nginx: [emerg] bind() to 0.0.0.0:8080 failed (98: Address already in use) ${word}`,
      ],
      next: 'Fix the cause, then: provision resume',
    })
    yield { kind: 'step', ...at, step: service, outcome: 'failed', problem }
    yield { kind: 'failed', ...at, problem }
  } else {
    yield {
      kind: 'step',
      ...at,
      step: service,
      outcome: 'changed',
      difference: { action: 'start', fields: [] },
    }
    yield { kind: 'waiting', ...at, for: `http 200 of ${host}` }
  }
  yield { kind: 'turnEnd', ...at, changed: 3, failed: failing }
}
