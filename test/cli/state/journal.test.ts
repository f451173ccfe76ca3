import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { watch } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseJournal } from '../../../src/report/journal/format.ts'
import { Project } from '../project.ts'

const PLAYBOOK = `
import { command, hosts, play, playbook, sh, inventorySchema, credential } from 'provision-ts'
export const site = inventorySchema({ password: credential, web: hosts() })
export default playbook(site, ({ web, password }) => [
  play('greeting', { hosts: web }, () => [
    command('greet', sh\`cat; exit 3\`, { input: password, unless: sh\`false\` }),
  ]),
])
`
const INVENTORY = `
import { inventory, secret } from 'provision-ts'
import { site } from './playbook.ts'
export default inventory(site, { password: secret.of('CanaryOfTheJournal'), become: { method: 'none' }, web: { hosts: { web1: { address: '127.0.0.1' } } } })
`

describe('the journal of a run', () => {
  let project: Project
  before(() => {
    project = new Project({ 'playbook.ts': PLAYBOOK, 'inventory.ts': INVENTORY })
  })
  after(() => project.remove())

  const words = ['./playbook.ts', '--inventory', 'inventory.ts', '--no-type-check', '--transport', 'local']
  const folder = () => join(project.directory, '.provision/runs')
  const journals = () => readdirSync(folder()).sort()

  it('is written with mode 0600 and without secrets', async () => {
    const { code, err, out } = await project.provision(...words, '--check')
    expect(code, out + err).to.equal(2)
    const [name = ''] = journals()
    const text = readFileSync(join(folder(), name), 'utf8')
    expect(text).not.to.include('CanaryOfTheJournal')
    const { about, lines } = parseJournal(text)
    expect(about.command).to.equal(`provision ${words.join(' ')} --check`)
    expect(lines.at(-1)?.kind).to.equal('end')
    expect(statSync(join(folder(), name)).mode & 0o777).to.equal(0o600)
  })

  it('masks secrets that a command prints', async () => {
    // Other tests may hold the lock of this machine.
    const { code } = await project.provision(...words, '--wait')
    expect(code).to.equal(1)
    const text = readFileSync(join(folder(), journals().at(-1) ?? ''), 'utf8')
    expect(text).to.include('***').and.not.to.include('CanaryOfTheJournal')
  })

  it('is not written with --no-journal, nor by a run that does not start', async () => {
    const before = journals()
    await project.provision(...words, '--check', '--no-journal')
    await project.provision(...words, '--check', '--limit', 'unknown')
    expect(journals()).to.deep.equal(before)
  })

  it('is deleted after fifty later runs', async () => {
    for (let n = 10; n < 70; n++) writeFileSync(join(folder(), `20200101-0000${n}-aaaa.jsonl`), '')
    writeFileSync(join(folder(), 'notes.txt'), 'not a journal')
    await project.provision(...words, '--check')
    const left = journals()
    expect(left.filter((name) => name.endsWith('.jsonl'))).to.have.length(50)
    expect(left).to.include('notes.txt').and.to.include('20200101-000069-aaaa.jsonl')
    expect(left).not.to.include('20200101-000021-aaaa.jsonl')
  })

  it('does not stop the run if it cannot be written', async () => {
    const other = new Project({ 'playbook.ts': PLAYBOOK, 'inventory.ts': INVENTORY, '.provision': 'a file' })
    const { code, err } = await other.provision(...words, '--check')
    other.remove()
    expect(code).to.equal(2)
    expect(err).to.match(/^warning: cannot write \.provision\/runs: .*\n$/)
  })

  it('is listed with its result, the latest first', async () => {
    const { out } = await project.provision('report', '--list')
    expect(out.split('\n')[0]).to.match(
      /^\d{8}-\d{6}-[0-9a-f]{4} {2}\d{4}-.* ok +1 to change, .* {2}provision \.\/playbook\.ts .*--check$/,
    )
  })

  it('becomes one HTML file', async () => {
    const { code, out, err } = await project.provision('report', '--out', 'run.html')
    expect(code, err).to.equal(0)
    expect(out).to.equal('The report is in run.html\n')
    const html = readFileSync(join(project.directory, 'run.html'), 'utf8')
    expect(html)
      .to.include('"kind":"end"')
      .and.match(/^<!doctype html>/)
    expect(html).not.to.include('CanaryOfTheJournal')
  })

  describe('with --open', () => {
    const { PATH } = process.env
    const bin = () => join(project.directory, 'bin')
    const open = () => project.provision('report', '--out', 'seen.html', '--open')
    before(() => mkdirSync(bin()))
    afterEach(() => {
      process.env['PATH'] = PATH
    })

    it('is opened by the program of the desktop, with an absolute path', async () => {
      // The command does not wait for the program.
      const program = '#!/bin/sh\nprintf "%s\\n" "$#" "$@" >"$0.said" && mv "$0.said" "${0%/*}/called"\n'
      for (const name of ['xdg-open', 'open']) writeFileSync(join(bin(), name), program, { mode: 0o755 })
      process.env['PATH'] = `${bin()}:${PATH}`
      const called = appearing(bin(), 'called')
      expect(await open()).to.deep.equal({ code: 0, out: 'The report is in seen.html\n', err: '' })
      const whole = realpathSync(join(project.directory, 'seen.html'))
      expect(await called).to.equal(`1\n${whole}\n`)
    })

    it('is written without such a program, too, with a warning', async () => {
      for (const name of ['xdg-open', 'open']) rmSync(join(bin(), name), { force: true })
      process.env['PATH'] = bin()
      const { code, out, err } = await open()
      expect([code, out]).to.deep.equal([0, 'The report is in seen.html\n'])
      expect(err).to.match(/^(xdg-)?open is not installed: open the file yourself\.\n$/)
      expect(readFileSync(join(project.directory, 'seen.html'), 'utf8')).to.match(/^<!doctype html>/)
    })
  })

  it('is reported if it does not exist', async () => {
    const { code, err } = await project.provision('report', 'nothing')
    expect(code).to.equal(64)
    expect(err).to.equal('error: There is no run nothing\n   To list the runs: provision report --list\n')
    const empty = new Project()
    const none = await empty.provision('report')
    empty.remove()
    expect(none.err).to.match(/No run is recorded/)
  })
})

/** Waits for a file and reads it. */
async function appearing(directory: string, name: string): Promise<string> {
  for await (const { filename } of watch(directory, { persistent: false })) if (filename === name) break
  return readFileSync(join(directory, name), 'utf8')
}
