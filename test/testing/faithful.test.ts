import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { expect } from 'chai'
import { play } from '../../src/model/playbook/play.ts'
import type { Step } from '../../src/model/resource/step.ts'
import type { AbsolutePath } from '../../src/resources/files/stat.ts'
import type { Shell } from '../../src/shell/sh.ts'
import { type FakeFile, fakeHost } from '../../src/testing/fake-host.ts'
import { converge } from '../../src/testing/index.ts'
import { ownRig } from '../support/rig.ts'
import { FAKE_ROWS } from './fake-rows.ts'

describe('a fake host', () => {
  const rig = ownRig({ private: true, network: true })

  const planned = async (step: Step) => {
    const { events, problems } = await rig.run((web) => [play('test', { hosts: web }, () => step)], {
      mode: 'plan',
    })
    expect(problems).to.deep.equal([])
    return events.flatMap((event) =>
      event.kind === 'step' && event.outcome === 'planned'
        ? [`${event.difference.action} ${event.step.kind} ${event.step.name}`]
        : [],
    )
  }
  const apply = async (step: Step) => {
    const { problems } = await rig.run((web) => [play('test', { hosts: web }, () => step)])
    expect(problems).to.deep.equal([])
  }

  for (const [what, { steps, setup, root: needsRoot }] of Object.entries(FAKE_ROWS))
    it(`has the same plans and paths as a real host after each step: ${what}`, async function () {
      if (needsRoot && !rig.machine.isRoot) return this.skip()
      if (setup) await succeeds(setup)
      const root = rig.empty()
      const host = fakeHost({ files: { [root]: null } })
      for (const step of steps(root, rig.own)) {
        const title = `${step.kind} ${step.name}`
        const plan = await planned(step)
        await apply(step)
        const faked = await converge(step, host)
        expect(faked.plan, `the plan of ${title}`).to.deep.equal(plan)
        expect((await converge(step, host)).plan, `the second plan of ${title}`).to.deep.equal([])
        expect(await planned(step), `the second real plan of ${title}`).to.deep.equal([])
        comparePaths(root, faked.files)
      }
    })

  async function succeeds(script: Shell): Promise<void> {
    const { session, close } = await rig.session('setup')
    const [result] = await session.run([{ script }])
    await close()
    expect(result?.code, result?.stderr.toString()).to.equal(0)
  }
})

/** Leaves out the contents of releases and archives, of which a fake host has only the directories. */
function comparePaths(root: AbsolutePath, files: Readonly<Record<string, FakeFile>>): void {
  const faked = Object.keys(files).filter((path) => path.startsWith(`${root}/`))
  const found = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/^(?:releases\/[^/]+|current|unpacked)\//.test(name))
    .map((name) => `${root}/${name}`)
  expect(faked).to.have.members(found)
  for (const path of faked) expect(seen(files[path]), path).to.deep.equal(real(path))
}

function seen(entry: FakeFile | undefined) {
  if (!entry) return undefined
  const { type, mode, text, target } = entry
  return { type, mode: type === 'link' ? undefined : mode, text, target }
}

function real(path: string) {
  const stat = lstatSync(path)
  const type = stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'link' : 'file'
  return {
    type,
    mode: type === 'link' ? undefined : (stat.mode & 0o7777).toString(8).padStart(4, '0'),
    text: type === 'file' ? readFileSync(path, 'utf8') : undefined,
    target: type === 'link' ? readlinkSync(path) : undefined,
  }
}
