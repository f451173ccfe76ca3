import { expect } from 'chai'
import type { RunEvent } from '../../../src/model/event.ts'
import { known } from '../../../src/model/resource/read.ts'
import { coloured, plain } from '../../../src/report/problem.ts'
import { SCREEN_READER_LABELS } from '../../../src/report/terminal/lines.ts'
import { type PlainOptions, plainReporter } from '../../../src/report/terminal/plain.ts'
import { EVENTS, host, step, summary } from './script.ts'

const end = (hosts: readonly string[]): RunEvent => ({
  kind: 'end',
  summary: summary(hosts.map((name) => host({ host: name }))),
})

function changedMotd(name: string, to = 'b'): RunEvent {
  return {
    ...{ kind: 'step', play: 'web', host: name, step: step('file', '/etc/motd'), outcome: 'changed' },
    difference: {
      action: 'change',
      fields: [{ name: 'content', from: '1', to: '2' }],
      texts: [{ path: '/etc/motd', before: known(''), after: `${to}\n` }],
    },
    before: ['a\n'],
  }
}

describe('the plain report', () => {
  const shown = (
    events: readonly RunEvent[],
    { paint = plain, verbose = false, ...how }: Partial<PlainOptions> = {},
  ) => {
    const lines: string[] = []
    const reporter = plainReporter({ write: (line) => lines.push(line), paint, verbose, ...how })
    for (const event of events) reporter.emit(event)
    return lines.join('\n')
  }

  it('shows changes, failures and how to continue', () => {
    expect(shown(EVENTS)).to.equal(`error: balancer1 cannot be reached: nothing listens at 10.0.0.9:22
web1      ✓ file /etc/motd [base › motd]: change mode 0600 → 0644, content
web1          --- /etc/motd	now
web1          +++ /etc/motd	wanted
web1          @@ -1,2 +1,2 @@
web1           one
web1          -two
web1          +three
web1      … package nginx, file /etc/a
web1      ✓ package nginx: install nginx installed
web1      ✓ transaction nginx configuration: change
web1          file /etc/a: create root:root 0644
web1          absent /etc/b: remove type file → absent
web1      ✓ reload nginx
web1      ✓ restart app (pending since an earlier run)
web1      … command copy: 12 of 40 MB
web1      ✓ nginx configuration: interrupted in an earlier run; the old files are restored and active
web1      · waived until 2030-01-01T23:59:59.999Z: no reload at noon: handler reload nginx (an open port)
web1      · drain: backend web on balancer1
web1      … waiting for GET http://localhost/
web1      ✗ command warm: fails, which is allowed: it fills on demand
web1          web1: command warm failed: exit status 2
web1          $ app warm
web2      ✗ command reload
error: web2: command reload failed: exit status 1
   at /site/roles/web.ts:9:5
   $ nginx -s reload
     nginx: [emerg] bind() failed
   Fix the cause and run the same command again.
skipped: balancers on web1, web2: web2 failed in this play
Changed:
  web1 ✓ file /etc/motd [base › motd]: change mode 0600 → 0644, content
  web1 ✓ package nginx: install nginx installed
  web1 ✓ transaction nginx configuration: change
      file /etc/a: create root:root 0644
      absent /etc/b: remove type file → absent
  web1 ✓ reload nginx
  web1 ✓ restart app (pending since an earlier run)
  web1 ✗ command warm: fails, which is allowed: it fills on demand
      web1: command warm failed: exit status 2
      $ app warm
web1      1 ok, 3 changed, 1 allowed failure
web2      0 ok, failed, 1 play skipped
balancer1 unreachable
1 host failed, 1 host unreachable; 3 of 4 steps changed on 3 hosts. 1 allowed failure. (1.23 s, at most 6 round trips per host, 3 KiB)
To continue with web2, balancer1: provision resume. Finished steps are not repeated.`)
  })

  it('has words instead of symbols for screen readers', () => {
    const lines = shown(EVENTS, { symbols: SCREEN_READER_LABELS, verbose: true }).split('\n')
    expect(lines.filter((line) => /[✓✗~…·═─]/u.test(line))).to.deep.equal([])
    expect(lines).to.include.members([
      'web1      ok: directory /srv',
      'web1      changed: package nginx: install nginx installed',
      'web1      running: waiting for GET http://localhost/',
      'web2      failed: command reload',
    ])
  })

  it('shows equal diffs of several hosts once', () => {
    const text = shown(['web1', 'web2', 'web3'].map((host) => changedMotd(host, host === 'web3' ? 'c' : 'b')))
    expect(text).to.equal(`web1 ✓ file /etc/motd: change content
web1     --- /etc/motd\tnow
web1     +++ /etc/motd\twanted
web1     @@ -1,1 +1,1 @@
web1     -a
web1     +b
web2 ✓ file /etc/motd: change content
web2     the same diff as on web1
web3 ✓ file /etc/motd: change content
web3     --- /etc/motd\tnow
web3     +++ /etc/motd\twanted
web3     @@ -1,1 +1,1 @@
web3     -a
web3     +c`)
  })

  it('can show changes only at the end, once for all hosts with equal changes', () => {
    const hosts = ['web1', 'web2', 'web3', 'web4', 'web5']
    const text = shown([...hosts.map((host) => changedMotd(host)), end(hosts)], { asItHappens: false })
    expect(text).to.equal(`Changed:
  web1, web2, web3 and 2 more ✓ file /etc/motd: change content
      --- /etc/motd\tnow
      +++ /etc/motd\twanted
      @@ -1,1 +1,1 @@
      -a
      +b
No changes: 0 steps ok on 5 hosts. (1.23 s, at most 2 round trips per host, 3 KiB)`)
  })

  it('shows all steps if it is verbose', () => {
    const more = shown(EVENTS, { verbose: true }).split('\n')
    const less = shown(EVENTS).split('\n')
    expect(more.filter((line) => !less.includes(line))).to.deep.equal([
      '3 hosts, 2 plays',
      'web1      · connected in 0.12 s',
      'web1      · 4 steps read, 3 differ',
      '── web',
      'web1      = directory /srv',
    ])
  })

  it('marks planned, deferred and failed steps', () => {
    const about = { kind: 'step', play: 'web', host: 'web1' } as const
    const difference = { action: 'run', fields: [] } as const
    expect(
      shown([
        { ...about, step: step('command', 'a'), outcome: 'planned', known: true, difference },
        { ...about, step: step('command', 'b'), outcome: 'planned', known: false, difference },
        {
          ...{ kind: 'drain', play: 'web', host: 'web1', label: 'backend web', outcome: 'planned' },
          ...{ pending: false, on: ['lb1', 'lb2'] },
        },
        { kind: 'handler', play: 'web', host: 'web1', name: 'reload', pending: false, outcome: 'planned' },
        { kind: 'handler', play: 'web', host: 'web1', name: 'reload', pending: false, outcome: 'failed' },
      ]),
    ).to.equal(
      'web1 ~ command a: run\nweb1 ? command b: run\nweb1 ~ drain: backend web on lb1, lb2\nweb1 ~ reload\nweb1 ✗ reload',
    )
  })

  it('has the same text with and without colours', () => {
    const ESCAPE = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g')
    const bright = shown(EVENTS, { paint: coloured })
    expect(bright).to.match(ESCAPE)
    expect(bright.replace(ESCAPE, '')).to.equal(shown(EVENTS))
  })
})
