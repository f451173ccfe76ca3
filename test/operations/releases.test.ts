import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT } from '../integration/support.ts'
import { Load } from '../proof/load.ts'
import { pause } from '../proof/row.ts'
import { failing, GENTLE } from './gentle.ts'
import { MANY, noFailure, siteUnderLoad } from './site-under-load.ts'

const LAB = 'test-operations'

/** Releases under load: working ones, a broken one, and rollbacks. */
describe('deploy and rollback, on real hosts under load', function () {
  this.slow('60s').bail(true)
  const own = siteUnderLoad(LAB)

  /** A new release with another page and another service file. */
  const build = (name: string, service: (text: string) => string = (text) => `${text}\n// ${name}\n`) => {
    const source = 'examples/notes-api/dist/app/server.mjs'
    const good = readFileSync(join(ROOT, source), 'utf8')
    own.site.edit(source, () => service(good))
    own.site.edit('examples/notes-api/dist/public/index.html', (text) =>
      text.replace(/<title>.*<\/title>/, `<title>${name}</title>`),
    )
  }
  /** The current release of each host. */
  const releases = async () =>
    Object.fromEntries(
      await Promise.all(
        ['app1', 'app2', 'web1', 'web2'].map(async (host) => [
          host,
          await own.site.on(
            host,
            `basename "$(readlink ${host.startsWith('app') ? '/srv/notes' : '/srv/www'}/current)"`,
          ),
        ]),
      ),
    ) as Readonly<Record<string, string>>
  const only = (found: Readonly<Record<string, string>>) => {
    const all = [...new Set(Object.values(found))]
    expect(all, JSON.stringify(found)).to.have.length(1)
    return all[0] ?? ''
  }
  /** Kills the command as soon as its output matches. */
  const killed = (operation: string, said: RegExp) =>
    new Promise<void>((done, failed) => {
      const words = [join(ROOT, 'bin/provision.js'), operation, '--inventory', 'inventory/lab.ts', '--no-type-check']
      const child = spawn(process.execPath, words, {
        cwd: own.site.directory,
        env: { ...process.env, LAB, NO_COLOR: '1' },
      })
      let text = ''
      child.stdout.setEncoding('utf8').on('data', (more: string) => {
        text += more
        if (said.test(text)) child.kill('SIGKILL')
      })
      child.on('close', (_code, signal) => (signal ? done() : failed(new Error(`it was not killed:\n${text}`))))
    })
  let first = ''
  let second = ''

  it('deploys a release host by host without a failed request', async () => {
    first = only(await releases())
    build('second')
    const planned = await own.site.provision('deploy', '--check')
    expect(planned.code, planned.text).to.equal(2)
    expect(only(await releases())).to.equal(first)
    const seen = await own.underLoad(['deploy'])
    second = only(await releases())
    expect(second).not.to.equal(first)
    expect(seen.text, 'before and after').to.match(new RegExp(`app1 .*releases/${first} → releases/${second}`, 's'))
    noFailure(seen, MANY)
    expect((await own.site.provision('deploy', '--check')).code, 'nothing is left to do').to.equal(0)
  })

  it('rolls back to the previous release, and a run of the site keeps it', async () => {
    const seen = await own.underLoad(['rollback'])
    expect(only(await releases())).to.equal(first)
    noFailure(seen, MANY)
    const { code, text } = await own.site.provision('--check')
    expect(code, text).to.equal(0)
  })

  it('reports that there is no earlier release, and deploys the requested one', async () => {
    const none = await own.site.provision('rollback')
    expect(none.code, none.text).to.equal(1)
    expect(none.text).to.include('There is no earlier release that all hosts still have').and.include(second)
    expect((await own.site.provision('rollback', '--to', 'nosuch')).text).to.include(
      'Not every host has release nosuch',
    )
    expect(only(await releases())).to.equal(first)
    const { code, text } = await own.site.provision('rollback', '--to', second)
    expect(code, text).to.equal(0)
    expect(only(await releases())).to.equal(second)
  })

  it('rolls back both hosts if the release does not become ready on the second one', async () => {
    build('third', (text) =>
      `import { hostname } from 'node:os'\n${text}`.replace(
        /^import \{ hostname \} from 'node:os'\n/,
        "import { hostname as here } from 'node:os'\nif (here() === 'app2') process.exit(1)\n",
      ),
    )
    const seen = await own.underLoad(['deploy'], 1)
    expect(seen.text).to.match(/^app1 ✓ rolled-back release .*used → rolled back$/m)
    expect(only(await releases())).to.equal(second)
    noFailure(seen, MANY)
    expect((await own.site.provision('--check', '--limit', 'app1')).code, 'the site does not try it again').to.equal(0)
  })

  it('rejects a deployment before any change if only one app host is ready', async () => {
    build('fourth')
    await own.site.on('app2', 'systemctl stop notes')
    for (const words of [['deploy'], ['deploy', '--check'], ['rollback', '--to', first]]) {
      const { code, text } = await own.site.provision(...words)
      expect(code, text).to.equal(1)
      expect(text).to.include('app1 is the last host of app in service').and.include('app2 is not ready')
    }
    expect(only(await releases())).to.equal(second)
    expect(await own.site.on('app1', 'ls /srv/notes/releases | wc -l')).to.equal('3')
    await own.site.on('app2', 'systemctl start notes')
  })

  it('converges if the controller is killed and the same command runs again', async () => {
    await killed('deploy', /^app1 … .*transaction notes/m)
    const seen = await own.underLoad(['deploy'])
    expect(only(await releases())).not.to.equal(second)
    noFailure(seen, MANY)
    await own.site.healthy()
  })

  it('fails some requests if both hosts are killed at once, which proves the tests above', async () => {
    const { seen } = await Load.during(own.site.client, bothKilled, GENTLE)
    const failed = failing(seen)
    console.log(`    ${failed.length} of ${seen.asked} requests failed`)
    expect(failed).not.to.deep.equal([])
  })

  const bothKilled = async () => {
    await Promise.all(['app1', 'app2'].map((host) => own.site.on(host, 'systemctl kill -s KILL notes')))
    await pause(4_000)
  }
})
