import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { build } from 'provision-ts'
import { ownLab } from './support.ts'

/** The releases that remain on a host after many deployments. */
describe('releases on a real host', function () {
  this.slow('20s')
  const own = ownLab('test-releases', ['web1'], () => ({
    'inventory.ts': INVENTORY,
    'playbook.ts': PLAYBOOK,
  }))

  const on = async (command: string) => {
    const { code, stdout, stderr } = await own.lab.exec('web1', command)
    expect(code, `${command}\n${stdout}${stderr}`).to.equal(0)
    return stdout.trim()
  }
  /** Builds this text, makes it the current release, and returns its id. */
  const deployed = async (text: string) => {
    const directory = join(own.desk.directory, 'build')
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'index.html'), text)
    const { code, text: said } = await own.run([], { BUILD: directory })
    expect(code, said).to.equal(0)
    return build(directory, '').id
  }
  const there = async () => (await on('ls /srv/demo/releases')).split('\n')

  it('are the last three and the rolled-back ones, and other directories are kept', async () => {
    const ids = [await deployed('first')]
    await on('cd /srv/demo/releases; mkdir before-the-move 0123456789ab.incoming; echo mine > before-the-move/note')
    for (const text of ['second', 'third', 'fourth']) ids.push(await deployed(text))
    expect(await there()).to.have.members([...ids.slice(1), 'before-the-move'])
    const [, second = '', third = ''] = ids
    await on(`cd /srv/demo/releases; touch -d @1 ${third}`)
    const fifth = await deployed('fifth')
    expect(await there(), 'it does not count among the three').to.have.members([
      ...[second, third, ids[3], fifth],
      'before-the-move',
    ])
    expect(await on('cat /srv/demo/current/index.html /srv/demo/releases/before-the-move/note')).to.equal('fifthmine')
    const again = await own.run([], { BUILD: join(own.desk.directory, 'build') })
    expect(again.text).to.include('No changes')
  })
})

const INVENTORY = `
import { hosts, inventory, inventorySchema } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
const { address, ssh } = openLab(process.env.LAB).host('web1')
export default inventory(inventorySchema({ web: hosts() }), { web: { hosts: { web1: { address, ssh } } } })
`

const PLAYBOOK = `
import { build, directory, hosts, link, play, playbook, pruneReleases, release, markReleaseCurrent, inventorySchema } from 'provision-ts'
const built = build(process.env.BUILD, '')
const root = '/srv/demo'
export default playbook(inventorySchema({ web: hosts() }), ({ web }) => [
  play('web', { hosts: web }, () => [
    directory(root + '/releases'),
    release(root + '/releases/' + built.id, built),
    pruneReleases(root, { wanted: built.id }),
    link(root + '/current', { target: 'releases/' + built.id }),
    markReleaseCurrent(root, built.id),
  ]),
])
`
