import { existsSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import { plain } from '../../../src/report/problem.ts'
import { plainReporter } from '../../../src/report/terminal/plain.ts'
import { absent } from '../../../src/resources/files/absent.ts'
import { file } from '../../../src/resources/files/file.ts'
import { command } from '../../../src/resources/system/command.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig, type Plays } from '../../support/rig.ts'

describe('a plan shows', () => {
  const rig = ownRig({ private: true })

  const shown = async (plays: Plays, names: readonly string[] = ['web1']) => {
    const lines: string[] = []
    const reporter = plainReporter({ write: (line) => lines.push(line), paint: plain, verbose: false })
    const { summary } = await rig.run(plays, { mode: 'plan', names, on: (event) => reporter.emit(event) })
    await reporter.done()
    return { text: lines.join('\n').replaceAll(rig.root, ''), summary }
  }

  /** Like a package that creates an unwanted file. */
  const brings: Plays = (web) => [
    play('web', { hosts: web }, () => [
      file(`${rig.root}/before`, 'a', rig.own),
      command('install', sh`touch ${`${rig.root}/default`} ${`${rig.root}/done`}`, {
        creates: `${rig.root}/done`,
      }),
      absent(`${rig.root}/default`),
      file(`${rig.root}/after`, 'a', rig.own),
    ]),
  ]

  it('a removal that an earlier step may cause, and does not count it as ok', async () => {
    for (const name of ['before', 'after']) writeFileSync(`${rig.root}/${name}`, 'a', { mode: 0o644 })
    const { text, summary } = await shown(brings)
    expect(text).to.match(
      /^web1 ~ command install: run\nweb1 \? absent \/default, file \/after: ok now, known after apply\n/,
    )
    expect(summary.hosts[0]).to.include({ ok: 1, changed: 1, tentative: 0, deferred: 2 })
    const { reported } = await rig.run(brings)
    expect(reported).to.deep.equal([
      'web1 ok file before',
      'web1 changed command install',
      'web1 changed absent default',
      'web1 ok file after',
    ])
    expect(existsSync(`${rig.root}/default`)).to.equal(false)
  })

  it('such steps at its end, once for all hosts that have them', async () => {
    for (const name of ['before', 'after']) writeFileSync(`${rig.root}/${name}`, 'a', { mode: 0o644 })
    const { text } = await shown(brings, ['web1', 'web2'])
    expect(text).to.include(`
Would change:
  web1, web2 ~ command install: run
  web1, web2 ? absent /default, file /after: ok now, known after apply
`)
  })

  it('no line for a step in the declared state without an earlier change', async () => {
    writeFileSync(`${rig.root}/done`, '')
    for (const name of ['before', 'after']) writeFileSync(`${rig.root}/${name}`, 'a', { mode: 0o644 })
    const { text, summary } = await shown(brings)
    expect(text).to.match(/^No changes: 4 steps ok on 1 host\./)
    expect(summary.hosts[0]).to.include({ ok: 4, changed: 0, deferred: 0 })
    expect((await rig.run(brings)).summary.hosts[0]).to.include({ ok: 4, changed: 0 })
  })
})
