// cspell:ignore owed
import { expect } from 'chai'
import { readHost } from '../../src/engine/hosts/batch.ts'
import {
  clearHandler,
  openDrain,
  openDrains,
  pendingHandlers,
  recordDrain,
  recordHandlers,
  undrain,
  undrainCommand,
} from '../../src/model/host-state.ts'
import { handler } from '../../src/model/resource/handler.ts'
import { type Shell, sh } from '../../src/shell/sh.ts'
import { ownRig } from '../support/rig.ts'

describe('the state of runs on a host', () => {
  const rig = ownRig({ private: true })
  const reload = handler('reload a/b ü', sh`true`)

  const use = async <T>(body: (run: (script: Shell) => Promise<number>, read: Read) => Promise<T>) => {
    const { session, close } = await rig.session('web1')
    const run = async (script: Shell) => (await session.run([{ script }]))[0]?.code ?? -1
    try {
      return await body(run, {
        handlers: () => readHost(session, pendingHandlers),
        drains: () => readHost(session, openDrains),
      })
    } finally {
      await run(sh`rm -rf /var/lib/provision`)
      await close()
    }
  }
  interface Read {
    readonly handlers: () => Promise<readonly string[]>
    readonly drains: () => Promise<readonly unknown[]>
  }

  it('contains the handlers that are recorded and not cleared', () =>
    use(async (run, { handlers }) => {
      await run(recordHandlers([reload, handler('restart', sh`true`)]))
      expect([...(await handlers())].sort()).to.deep.equal(['reload a/b ü', 'restart'])
      await run(clearHandler(reload))
      expect(await handlers()).to.deep.equal(['restart'])
    }))

  it('contains the drains that are recorded and not undone', () =>
    use(async (run, { drains }) => {
      const one = openDrain('web1', 'out of: web')
      await run(recordDrain(one, [sh`touch ${`${rig.root}/undone`}`]))
      expect(await drains()).to.deep.equal([{ ...one, pending: true }])
      expect(await run(undrain(one))).to.equal(0)
      expect(await run(sh`test -e ${`${rig.root}/undone`}`)).to.equal(0)
      expect(await drains()).to.deep.equal([])
    }))

  it('is also read under the names of version 0.1, and removed there', () =>
    use(async (run, { handlers, drains }) => {
      await run(sh`cd /var/lib && mkdir -p provision/owed provision/undo
: > provision/owed/reload%20a%2Fb%20%C3%BC
echo ${`touch ${rig.root}/undone`} > provision/undo/web1:out%20of%20web`)
      expect(await handlers()).to.deep.equal(['reload a/b ü'])
      const [drain] = (await drains()) as readonly ReturnType<typeof openDrain>[]
      if (!drain) throw new Error('there is no drain')
      expect(drain).to.include({ host: 'web1', label: 'out of web', pending: true })
      expect(undrainCommand(drain)).to.match(/^sh \/var\/lib\/provision\/undo\/web1:out%20of%20web && rm /)
      await run(clearHandler(reload))
      expect(await run(undrain(drain))).to.equal(0)
      expect(await run(sh`test -e ${`${rig.root}/undone`}`)).to.equal(0)
      expect([await handlers(), await drains()]).to.deep.equal([[], []])
    }))
})
