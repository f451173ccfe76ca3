import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { sh } from '../../src/shell/sh.ts'
import { openSession } from '../../src/transport/session/open.ts'
import { canBePrivate, type PrivateMachine, privateMachine } from './private-machine.ts'

describe('the lock of a host whose holder was killed', () => {
  let machine: PrivateMachine

  before(async function () {
    if (!canBePrivate()) return this.skip()
    machine = await privateMachine()
  })
  after(() => machine?.close())

  /** Another process takes the lock, starts a script and is killed. */
  async function killedWhile(mode: 'inline' | 'isolated' | 'daemon', script: string, first = ':'): Promise<void> {
    const file = fileURLToPath(new URL('./dead-holder.ts', import.meta.url))
    const how = ['--import', 'tsx', '--conditions', 'source', file, machine.enter, mode, script, first]
    const child = spawn(process.execPath, how, { stdio: ['ignore', 'ignore', 'inherit'] })
    const ended = once(child, 'exit')
    while ((await seen('cat /run/begun')) !== 0) await sleep(50)
    child.kill('SIGKILL')
    await ended
  }
  /** The exit status of a command on the machine. */
  async function seen(command: string): Promise<number | undefined> {
    const session = await openSession(machine.as('root'), { host: 'web1' })
    const [result] = await session.run([{ script: sh`sh -c ${command} >/dev/null 2>&1` }])
    await session.close()
    return result?.code
  }
  const take = () => openSession(machine.as('root'), { host: 'web1', lock: { owner: 'bob' } })

  it('is released at once if only a question hangs, which is killed', async () => {
    await killedWhile('inline', 'touch /run/begun; sleep 3607')
    const bob = await take()
    expect((await bob.opened).warnings.join()).to.contain('web1 was locked by a run whose connection was dead')
    const [result] = await bob.run([{ script: sh`rm -f /run/begun; pgrep -xf "sleep 3607"; :` }])
    expect(result?.stdout.toString()).to.equal('')
    await bob.close()
  })

  it('is released at once if a question as another user hangs', async () => {
    await killedWhile('daemon', 'sleep 3608', 'touch /run/begun')
    const bob = await take()
    const [result] = await bob.run([{ script: sh`rm -f /run/begun; pgrep -xf "sleep 3608"; :` }])
    expect(result?.stdout.toString()).to.equal('')
    await bob.close()
  })

  it('is released when the running command has ended', async () => {
    await killedWhile('isolated', 'touch /run/begun; sleep 2; touch /run/ended')
    const bob = await take()
    const [result] = await bob.run([{ script: sh`ls /run/ended` }])
    expect(result?.code).to.equal(0)
    await bob.close()
  })

  it('is held while the holder lives, however long its question takes', async () => {
    const ana = await openSession(machine.as('root'), { host: 'web1', lock: { owner: 'ana' } })
    await ana.opened
    const running = ana.run([{ script: sh`touch /run/asking; while [ ! -e /run/enough ]; do sleep 0.05; done` }])
    while ((await seen('cat /run/asking')) !== 0) await sleep(50)
    const bob = await take()
    const refused = await bob.opened.then(
      () => 'taken',
      (error: Error) => error.message,
    )
    expect(refused).to.match(/^web1 is locked by ana since /)
    await bob.close()
    await seen('touch /run/enough')
    expect((await running)[0]?.code).to.equal(0)
    await ana.close()
  })
})
