import type { HostSummary, RunEvent, StepInfo, Summary } from '../../../src/model/event.ts'
import { Problem } from '../../../src/model/problem.ts'
import { known } from '../../../src/model/resource/read.ts'

export const step = (kind: string, name: string, ...roles: readonly string[]): StepInfo => ({
  kind,
  name,
  roles,
  source: { file: '/site/roles/web.ts', line: 7, column: 3 },
})

export const host = (of: Partial<HostSummary> & { readonly host: string }): HostSummary => ({
  ok: 0,
  changed: 0,
  tentative: 0,
  deferred: 0,
  failed: 0,
  unreachable: false,
  skipped: 0,
  trips: 2,
  ...of,
})

export const summary = (hosts: readonly HostSummary[], of: Partial<Summary> = {}): Summary => ({
  mode: 'apply',
  hosts,
  ms: 1234,
  interrupted: false,
  sent: 1024,
  received: 1025,
  ...of,
})

export const refused = new Problem('web2: command reload failed: exit status 1', {
  where: { file: '/site/roles/web.ts', line: 9, column: 5 },
  details: ['$ nginx -s reload', '  nginx: [emerg] bind() failed'],
  next: 'Fix the cause and run the same command again.',
})

export const cold = new Problem('web1: command warm failed: exit status 2', { details: ['$ app warm'] })

const at = { play: 'web', host: 'web1' }

/** A run with most kinds of events. */
export const EVENTS: readonly RunEvent[] = [
  { kind: 'begin', mode: 'apply', hosts: ['web1', 'web2', 'balancer1'], plays: ['web', 'balancers'] },
  { kind: 'connected', host: 'web1', ms: 120 },
  {
    kind: 'unreachable',
    host: 'balancer1',
    problem: new Problem('balancer1 cannot be reached: nothing listens at 10.0.0.9:22'),
  },
  { kind: 'refreshed', host: 'web1', steps: 4, differing: 3 },
  { kind: 'play', play: 'web', hosts: ['web1', 'web2'] },
  { kind: 'turn', ...at, steps: 4 },
  { kind: 'applying', ...at, steps: [step('file', '/etc/motd')] },
  { kind: 'step', ...at, step: step('directory', '/srv'), outcome: 'ok' },
  {
    kind: 'step',
    ...at,
    step: step('file', '/etc/motd', 'base', 'motd'),
    outcome: 'changed',
    difference: {
      action: 'change',
      fields: [
        { name: 'mode', from: '0600', to: '0644' },
        { name: 'content', from: 'aaa', to: 'bbb' },
      ],
      texts: [{ path: '/etc/motd', before: known(''), after: 'one\nthree\n' }],
    },
    before: ['one\ntwo\n'],
  },
  { kind: 'applying', ...at, steps: [step('package', 'nginx'), step('file', '/etc/a')] },
  {
    kind: 'step',
    ...at,
    step: step('package', 'nginx'),
    outcome: 'changed',
    difference: { action: 'install', fields: [{ name: 'nginx', to: 'installed' }] },
  },
  {
    kind: 'step',
    ...at,
    step: step('transaction', 'nginx configuration'),
    outcome: 'changed',
    difference: {
      action: 'change',
      fields: [],
      parts: [
        {
          name: 'file /etc/a',
          difference: {
            action: 'create',
            fields: [
              { name: 'owner', to: 'root' },
              { name: 'group', to: 'root' },
              { name: 'mode', to: '0644' },
              { name: 'content', to: 'ccc' },
            ],
          },
        },
        {
          name: 'absent /etc/b',
          difference: { action: 'remove', fields: [{ name: 'type', from: 'file', to: 'absent' }] },
        },
      ],
    },
  },
  { kind: 'handler', ...at, name: 'reload nginx', pending: false, outcome: 'done' },
  { kind: 'handler', ...at, name: 'restart app', pending: true, outcome: 'done' },
  { kind: 'progress', ...at, step: step('command', 'copy'), text: '12 of 40 MB' },
  { kind: 'recovered', host: 'web1', label: 'nginx configuration', outcome: 'restored', details: [] },
  {
    ...{
      kind: 'policy',
      host: 'web1',
      policy: 'no reload at noon',
      changes: ['handler reload nginx'],
      outcome: 'waived',
    },
    ...{ reason: 'an open port', until: '2030-01-01T23:59:59.999Z' },
  },
  { kind: 'drain', ...at, label: 'backend web', outcome: 'drained', on: ['balancer1'], pending: false },
  { kind: 'waiting', ...at, for: 'GET http://localhost/' },
  {
    kind: 'step',
    ...at,
    step: step('command', 'warm'),
    outcome: 'allowed',
    problem: cold,
    reason: 'it fills on demand',
  },
  { kind: 'turnEnd', ...at, changed: 3, failed: false },
  {
    kind: 'step',
    play: 'web',
    host: 'web2',
    step: step('command', 'reload'),
    outcome: 'failed',
    problem: refused,
  },
  { kind: 'failed', play: 'web', host: 'web2', problem: refused },
  { kind: 'turnEnd', play: 'web', host: 'web2', changed: 0, failed: true },
  { kind: 'skipped', play: 'balancers', hosts: ['web1', 'web2'], why: 'web2 failed in this play' },
  {
    kind: 'end',
    summary: summary([
      host({ host: 'web1', ok: 1, changed: 3, allowed: 1, trips: 6 }),
      host({ host: 'web2', failed: 1, skipped: 1 }),
      host({ host: 'balancer1', unreachable: true, trips: 0 }),
    ]),
  },
]
