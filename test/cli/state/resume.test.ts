import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Project } from '../project.ts'

const PLAYBOOK = `import { file, hosts, play, playbook, inventorySchema, template, text } from 'provision-ts'
const motd = template<{ who: string }>(import.meta, 'motd.ejs')
export const site = inventorySchema({ web: hosts() })
export default playbook(site, ({ web }, { word }) => [play('web', { hosts: web }, () => file('/etc/motd', motd({ who: word })))], {
  flags: { word: text },
})
`
const dead = (name: string, address: string) =>
  `${name}: { address: '${address}', ssh: { port: 1, hostKey: 'SHA256:${'a'.repeat(43)}' } }`
const INVENTORY = `import { inventory } from 'provision-ts'
import { site } from './playbook.ts'
export default inventory(site, { web: { hosts: { ${dead('web1', '127.0.0.1')}, ${dead('web2', '127.0.0.2')} } } })
`

describe('provision resume', () => {
  let project: Project

  beforeEach(() => {
    project = new Project({
      'playbook.ts': PLAYBOOK,
      'inventory.ts': INVENTORY,
      'templates/motd.ejs': '<%# ({ who }: { who: string }) -%>\nhello\n',
    })
  })
  afterEach(() => project.remove())

  const run = (...words: readonly string[]) =>
    project.provision('playbook.ts', '--no-type-check', '-i', 'inventory.ts', ...words)
  const resume = (...words: readonly string[]) => project.provision('resume', '--no-type-check', ...words)
  const note = () => join(project.directory, '.provision/unfinished.json')

  it('reports that there is no unfinished run', async () => {
    const { code, err } = await resume()
    expect([code, err.split('\n')[0]]).to.deep.equal([64, 'error: There is no unfinished run'])
  })

  it('repeats the command with its options for the unfinished hosts', async () => {
    const first = await run('--limit', 'web1', '--tags', 'always', '--word', "it's")
    expect(first.out).to.match(/To continue: provision resume\. Finished steps are not repeated\.\n$/)
    expect(statSync(note()).mode & 0o777).to.equal(0o600)
    const again = await resume()
    expect(again.code).to.equal(3)
    expect(again.err).to.equal(
      `Resuming: provision playbook.ts --inventory inventory.ts --tags always --word 'it'\\''s' --limit web1\n`,
    )
    expect(again.out).to.include('web1 unreachable').and.not.include('web2')
  })

  it('collects the unfinished hosts of the same command, but not of another', async () => {
    const left = () => JSON.parse(readFileSync(note(), 'utf8')).left
    await run('--limit', 'web2', '--word', 'a')
    await run('--limit', 'web1', '--word', 'a')
    expect(left()).to.deep.equal(['web2', 'web1'])
    await run('--limit', 'web1', '--word', 'b')
    expect(left()).to.deep.equal(['web1'])
  })

  it('rejects changed files, including templates, and prints both ways to continue', async () => {
    await run('--word', 'a')
    project.write('templates/motd.ejs', '<%# ({ who }: { who: string }) -%>\ngood day\n')
    const { code, err } = await resume()
    expect(code).to.equal(64)
    expect(err).to.equal(`error: Files have changed since the run stopped; unfinished hosts: web1, web2
   templates/motd.ejs
   To run for all hosts: provision playbook.ts --inventory inventory.ts --word a. For the unfinished ones: provision resume --anyway.
`)
    expect((await resume('--anyway')).code).to.equal(3)
  })

  it('is not offered after a dry run', async () => {
    const { out } = await run('--word', 'a', '--check')
    expect(out).to.not.include('resume')
    expect(existsSync(note())).to.equal(false)
  })
})
