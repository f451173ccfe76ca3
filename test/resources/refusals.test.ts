import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { existingRelease, file, localFile, play, release } from 'provision-ts'
import { converge, fakeHost } from 'provision-ts/testing'
import { ownRig } from '../support/rig.ts'
import { wordsIn, wordsOf } from '../support/words.ts'

describe('a resource rejects', () => {
  const rig = ownRig()

  it('a release that the host no longer has and this machine has not built', async () => {
    const id = '4f2a90c1b7de'
    expect(
      await wordsOf(() => converge(release(`/srv/app/${id}`, existingRelease(id)), fakeHost())),
    ).to.equal(`error: The release ${id} is no longer at /srv/app/${id}, and this machine has not built it
   Build it on this machine and deploy it.`)
  })

  it('a release whose path is a file', async () => {
    const host = fakeHost({ files: { '/srv/app': 'a file' } })
    expect(await wordsOf(() => converge(release('/srv/app', existingRelease('4f2a90c1b7de')), host))).to.equal(
      `error: /srv/app is a file, not a release
   Move it away on the host, or give the step another path.`,
    )
  })

  it('a local file that changes during the run', async () => {
    const path = rig.empty()
    writeFileSync(`${path}/image`, 'first')
    const { events } = await rig.run(
      (web) => [
        play('web', { hosts: web }, () => [
          file(`${path}/copy`, localFile({ url: pathToFileURL(`${path}/main.ts`).href }, 'image'), rig.own),
        ]),
      ],
      { on: ({ kind }) => void (kind === 'refreshed' && writeFileSync(`${path}/image`, 'second')) },
    )
    expect(wordsIn(events).replaceAll(path, 'DIR')).to.equal(`error: DIR/image changed during the run
   Run the same command again.`)
  })

  it('a local file that is missing or a directory', async () => {
    const path = rig.empty()
    const meta = { url: pathToFileURL(`${path}/main.ts`).href }
    const next = 'The path is relative to the folder of the file that calls localFile().'
    expect(await wordsOf(() => localFile(meta, 'image'))).to.equal(`error: There is no file ${path}/image\n   ${next}`)
    expect(await wordsOf(() => localFile(meta, '.'))).to.equal(`error: ${path} is not a file\n   ${next}`)
  })
})
