import { expect } from 'chai'
import type { RunEvent } from '../../src/model/event.ts'
import { Problem } from '../../src/model/problem.ts'
import { known } from '../../src/model/resource/read.ts'
import { LONGEST_COMMENT, markdownReporter } from '../../src/report/markdown.ts'
import { Secret } from '../../src/shell/secret.ts'
import { host, step, summary } from './terminal/script.ts'

const written = async (events: readonly RunEvent[]) => {
  const texts: string[] = []
  const reporter = markdownReporter((text) => texts.push(text))
  for (const event of events) reporter.emit(event)
  await reporter.done()
  return texts.join('\n')
}

/** A planned change of a file from one text to another. */
const change = (name: string, from: string, to: string, path = '/etc/motd'): RunEvent => ({
  ...{ kind: 'step', play: 'web', host: name, step: step('file', path, 'base'), outcome: 'planned', known: true },
  difference: {
    action: 'change',
    fields: [{ name: 'content', from: 'a', to: 'b' }],
    texts: [{ path, before: known(''), after: to }],
  },
  before: [from],
})
const end = (hosts: Parameters<typeof summary>[0], of: Parameters<typeof summary>[1] = {}): RunEvent => ({
  kind: 'end',
  summary: summary(hosts, { mode: 'plan', ...of }),
})

describe('a plan in Markdown', () => {
  it('has the counts, then a collapsed section for each host with changes', async () => {
    const text = await written([
      change('web1', 'one\n', 'two\n'),
      { kind: 'step', play: 'web', host: 'web1', step: step('absent', '/etc/old'), outcome: 'deferred' },
      { kind: 'handler', play: 'web', host: 'web1', name: 'restart nginx', pending: false, outcome: 'planned' },
      end([
        host({ host: 'web1', ok: 4, changed: 1, deferred: 1 }),
        host({ host: 'web2', ok: 6 }),
        host({ host: 'web3', ok: 6 }),
      ]),
    ])
    expect(text).to.equal(`### Plan: 1 step would change on 1 host

| hosts | to change | known after apply | ok | failed | unreachable |
| ---: | ---: | ---: | ---: | ---: | ---: |
| 3 | 1 | 1 | 16 | 0 | 0 |

<details><summary><b>web1</b>: 1 to change, 1 known after apply</summary>

\`\`\`diff
~ file /etc/motd [base]: change content
--- /etc/motd	now
+++ /etc/motd	wanted
@@ -1,1 +1,1 @@
-one
+two
? absent /etc/old: ok now, known after apply
~ handler restart nginx
\`\`\`

</details>

2 hosts without changes.
`)
  })

  it('has problems and refusals before the hosts', async () => {
    const problem = new Problem('web1: the policy "x" does not allow file /etc/motd', { next: 'Wait.' })
    const text = await written([
      { kind: 'unreachable', host: 'web2', problem: new Problem('web2 cannot be reached') },
      change('web1', 'one\n', 'two\n'),
      { kind: 'policy', host: 'web1', policy: 'x', changes: ['file /etc/motd'], outcome: 'refused', problem },
      {
        kind: 'policy',
        host: 'web1',
        policy: 'y',
        changes: ['file /etc/a'],
        outcome: 'waived',
        reason: 'a fix',
        until: 'T',
      },
      end([host({ host: 'web1', changed: 1 }), host({ host: 'web2', unreachable: true })], { refused: true }),
    ])
    expect(text).to.match(/^### Plan: 1 step would change on 1 host; refused by policies\n/)
    const [before = ''] = text.split('<details>')
    expect(before)
      .to.include('error: web2 cannot be reached')
      .and.include('error: web1: the policy "x" does not allow file /etc/motd\n   Wait.')
      .and.include('web1: waived until T: y: file /etc/a (a fix)')
      .and.include('| 2 | 1 | 0 | 0 | 0 | 1 |')
  })

  it('masks secrets, and no text ends its code block or becomes HTML', async () => {
    const password = new Secret(() => 'horse battery staple')
    const shown = password.reveal()
    const text = await written([
      change('<b>@all', `${shown}\n`, 'a\n```\n</details>\n@everyone <script>\n````\n'),
      end([host({ host: '<b>@all', changed: 1 })]),
    ])
    expect(text).to.not.include('horse')
    expect(text).to.include('-***\n').and.include('<summary><b>&#60;b&#62;&#64;all</b>')
    const [, fence = '', body = ''] = /\n(`{5,})diff\n([\s\S]*)\n\1\n/.exec(text) ?? []
    expect(fence).to.equal('`````')
    expect(body).to.include('+```\n').and.include('+````').and.include('@everyone')
  })

  it('stays within the limit of GitHub: it cuts diffs, then leaves them out, then changes, then hosts', async () => {
    const many = (hosts: number, lines: number) => {
      const names = Array.from({ length: hosts }, (_, i) => `web${i}`)
      const long = Array.from({ length: lines }, (_, i) => `line ${i} of a long file\n`).join('')
      return written([
        ...names.map((name) => change(name, '', long)),
        end(names.map((name) => host({ host: name, changed: 1 }))),
      ])
    }
    const short = await many(3, 100)
    expect(short).to.not.include('too long')
    const sizes: number[] = []
    for (const [hosts, lines, has, lacks] of [
      [10, 500, '… 483 more lines', undefined],
      [200, 30, '<b>web199</b>', undefined],
      [600, 2, '**web599**: 1 to change', undefined],
      [3_000, 1, ' more hosts.', '**web2999**'],
    ] as const) {
      const text = await many(hosts, lines)
      expect(text.length, `${hosts} hosts`).to.be.at.most(LONGEST_COMMENT)
      sizes.push(text.length)
      expect(text, `${hosts} hosts`).to.include(has).and.include('The comment would be too long')
      if (lacks) expect(text).to.not.include(lacks)
      expect(text.split('<details>').length).to.equal(text.split('</details>').length)
    }
    // The room is used.
    for (const size of sizes) expect(size).to.be.above(LONGEST_COMMENT / 2)
  })
})
