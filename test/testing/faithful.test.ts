import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { expect } from 'chai'
import { play } from '../../src/model/playbook/play.ts'
import type { Step } from '../../src/model/resource/step.ts'
import { absent } from '../../src/resources/files/absent.ts'
import { directory } from '../../src/resources/files/directory.ts'
import { file } from '../../src/resources/files/file.ts'
import { line } from '../../src/resources/files/line.ts'
import { link } from '../../src/resources/files/link.ts'
import type { AbsolutePath } from '../../src/resources/files/stat.ts'
import { command } from '../../src/resources/system/command.ts'
import { sh } from '../../src/shell/sh.ts'
import { type FakeFile, fakeHost } from '../../src/testing/fake-host.ts'
import { converge } from '../../src/testing/index.ts'
import { ownRig } from '../support/rig.ts'

describe('a fake host', () => {
  const rig = ownRig()

  /** Each list is done in order. */
  const lists: Readonly<Record<string, (root: AbsolutePath, own: { readonly owner: string }) => Step[]>> = {
    'files and directories': (root, own) => [
      directory(`${root}/a/b`, { ...own, mode: '0700' }),
      file(`${root}/a/b/text`, 'text\n', { ...own, mode: '0640' }),
      file(`${root}/deep/er/bytes`, Uint8Array.of(1, 2), own),
      file(`${root}/a/b/text`, 'other\n', { ...own, mode: '0640' }),
    ],
    'links, and files behind them': (root, own) => [
      file(`${root}/one`, '1', own),
      link(`${root}/current`, { target: 'one' }),
      file(`${root}/current`, '2', { ...own, follow: true }),
      file(`${root}/absolute`, '1', own),
      link(`${root}/far`, { target: `${root}/absolute` }),
      file(`${root}/far`, 'in its place', own),
    ],
    'lines in files': (root, own) => [
      file(`${root}/lines`, 'a 1\nb\na 2\n', own),
      line(`${root}/lines`, 'a 3', { match: /^a / }),
      line(`${root}/lines`, 'c'),
      line(`${root}/lines`, 'b'),
      line(`${root}/fresh`, 'alone'),
    ],
    'what goes, and what a command makes': (root, own) => [
      file(`${root}/dir/file`, 'x', own),
      absent(`${root}/dir`),
      absent(`${root}/never`),
      command('make it', sh`: > ${`${root}/made`} && chmod 0644 ${`${root}/made`}`, {
        creates: `${root}/made`,
      }),
    ],
  }

  for (const [what, stepsIn] of Object.entries(lists))
    it(`has after each step what a real file system has: ${what}`, async function () {
      if (!rig.machine.isPrivate) return this.skip()
      const root = rig.empty()
      const host = fakeHost({ files: { [root]: null } })
      for (const step of stepsIn(root, rig.own)) {
        const { problems } = await rig.run((web) => [play('test', { hosts: web }, () => step)])
        expect(problems).to.deep.equal([])
        const { files } = await converge(step, host)
        const faked = Object.keys(files).filter((path) => path.startsWith(`${root}/`))
        const found = readdirSync(root, { recursive: true, encoding: 'utf8' }).map(
          (name) => `${root}/${name}`,
        )
        expect(faked).to.have.members(found)
        for (const path of faked) expect(seen(files[path]), path).to.deep.equal(real(path))
      }
    })
})

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
