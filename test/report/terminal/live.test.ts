import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { expect } from 'chai'
import { LiveBoard } from '../../../src/report/terminal/live-board.ts'
import { step } from './script.ts'

const PLAIN = (_style: unknown, text: string) => text

describe('the live board', () => {
  it('has a row for each host of a small play', () => {
    const board = new LiveBoard(PLAIN)
    begin(board, ['web1', 'web2'])
    board.emit({ kind: 'step', play: 'web', host: 'web1', step: step('package', 'nginx'), outcome: 'ok' })
    board.emit({ kind: 'turnEnd', play: 'web', host: 'web2', changed: 2, failed: false })
    expect(board.play('web').hosts.map(({ title }) => title)).to.eql(['web1 package nginx', 'web2 2 changed'])
  })

  it('shows the progress of a step and what it waits for', () => {
    const board = new LiveBoard(PLAIN)
    begin(board, ['web1'])
    const about = { play: 'web', host: 'web1' } as const
    const title = () => board.play('web').hosts[0]?.title
    board.emit({ kind: 'progress', ...about, step: step('package', 'nginx'), text: '12 of 40 MB' })
    expect(title()).to.equal('web1 package nginx: 12 of 40 MB')
    board.emit({ kind: 'waiting', ...about, for: 'dpkg lock held by unattended-upgr, pid 812' })
    expect(title()).to.equal('web1 waiting for dpkg lock held by unattended-upgr, pid 812')
    board.emit({ kind: 'step', ...about, step: step('package', 'nginx'), outcome: 'ok' })
    expect(title()).to.equal('web1 package nginx')
  })

  it('has one row for a play with many hosts, with the number of finished hosts and the slowest ones', () => {
    let now = 0
    const board = new LiveBoard(PLAIN, () => now)
    const hosts = Array.from({ length: 40 }, (_, i) => `web${i + 1}`)
    begin(board, hosts)
    for (const host of hosts.slice(0, 37))
      board.emit({ kind: 'turnEnd', play: 'web', host, changed: 0, failed: host === 'web7' })
    now = 5_000
    board.emit({ kind: 'waiting', play: 'web', host: 'web40', for: 'its turn' })
    expect(board.play('web')).to.eql({
      title: 'web 37 of 40 · 1 failed · web38 5.00 s · web39 5.00 s · web40 waiting for its turn',
      phase: 'running',
      hosts: [],
    })
  })

  it('shows the duration of a long activity', () => {
    let now = 0
    const board = new LiveBoard(PLAIN, () => now)
    begin(board, ['web1'])
    board.emit({ kind: 'waiting', play: 'web', host: 'web1', for: 'dpkg' })
    now = 12_000
    expect(board.play('web').hosts[0]?.title).to.equal('web1 waiting for dpkg, 12.0 s')
  })

  it('tells finished, running and pending plays apart', () => {
    const board = new LiveBoard(PLAIN)
    board.emit({ kind: 'begin', mode: 'apply', hosts: [], plays: ['a', 'b', 'c'] })
    board.emit({ kind: 'play', play: 'b', hosts: ['web1'] })
    expect(board.plays.map((play) => board.play(play).phase)).to.eql(['finished', 'running', 'pending'])
    board.close()
    expect(board.plays.map((play) => board.play(play).phase)).to.eql(['finished', 'finished', 'finished'])
  })
})

describe('the live display in a terminal', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip()
  })

  it('draws at most ten times a second, whatever happens on 500 hosts', () => {
    const { text, ms } = shown('stty cols 100 rows 30', '500 30')
    expect(text).to.contain('500 of 500 · 1 failed')
    // Each drawing moves the cursor up over the previous rows.
    const drawings = text.split('\x1b[G').length - 1
    expect(drawings).to.be.greaterThan(2)
    expect(drawings).to.be.at.most(ms / 100 + 4)
  })

  it('cuts rows to the width of the terminal', () => {
    const { text } = shown('stty cols 40 rows 30', '20 5')
    const rows = stripVTControlCharacters(text).split(/\r?\n/)
    const drawn = rows.filter((row) => / web|read/.test(row) && !row.includes('took'))
    expect(drawn.length).to.be.greaterThan(1)
    for (const row of drawn.filter((one) => !one.startsWith('Nothing'))) expect(row.length).to.be.at.most(40)
  })

  it('assumes 80 columns for a terminal of unknown size', () => {
    const { text } = shown('stty cols 0 rows 0', '4 5')
    expect(text).to.contain('web4')
  })
})

function begin(board: LiveBoard, hosts: readonly string[]): void {
  board.emit({ kind: 'begin', mode: 'apply', hosts, plays: ['web'] })
  board.emit({ kind: 'play', play: 'web', hosts })
}

/** A run in a terminal of script(1). */
function shown(terminal: string, args: string): { readonly text: string; readonly ms: number } {
  const fixture = join(import.meta.dirname, 'live-run.ts')
  const { stdout } = spawnSync(
    'script',
    ['-qec', `${terminal}; ${process.execPath} --import tsx ${fixture} ${args}`, '/dev/null'],
    { encoding: 'utf8', env: { ...process.env, FORCE_COLOR: '1' } },
  )
  const ms = Number(/took (\d+) ms/.exec(stdout)?.[1])
  expect(ms, stdout).to.be.greaterThan(0)
  return { text: stdout, ms }
}
