import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { existingRelease, file, localFile, play, release } from 'provision-ts'
import { converge, fakeHost } from 'provision-ts/testing'
import { ownRig } from '../support/rig.ts'
import { wordsIn, wordsOf } from '../support/words.ts'

describe('what a resource refuses', () => {
  const rig = ownRig()

  it('is a release that the host has no more, when this machine has not built it', async () => {
    const id = '4f2a90c1b7de'
    expect(
      await wordsOf(() => converge(release(`/srv/app/${id}`, existingRelease(id)), fakeHost())),
    ).to.equal(`error: The release ${id} is no longer at /srv/app/${id}, and this machine has not built it
   Build it on this machine and deploy it.`)
  })

  it('is a release where something else stands', async () => {
    const host = fakeHost({ files: { '/srv/app': 'a file' } })
    expect(
      await wordsOf(() => converge(release('/srv/app', existingRelease('4f2a90c1b7de')), host)),
    ).to.equal(
      `error: /srv/app is a file, not a release
   Move it away on the host, or give the step another path.`,
    )
  })

  it('is a file of this machine that changes while it is to be sent', async () => {
    const path = rig.empty()
    writeFileSync(`${path}/image`, 'first')
    const { events } = await rig.run(
      (web) => [
        play('web', { hosts: web }, () => [
          file(`${path}/copy`, localFile({ url: pathToFileURL(`${path}/main.ts`).href }, 'image'), rig.own),
        ]),
      ],
      { on: ({ kind }) => void (kind === 'surveyed' && writeFileSync(`${path}/image`, 'second')) },
    )
    expect(wordsIn(events).replaceAll(path, 'DIR')).to.equal(`error: DIR/image changed during the run
   Run the same command again.`)
  })
})
