import { expect } from 'chai'
import { sh } from '../../src/shell/sh.ts'
import { openSession } from '../../src/transport/session/open.ts'
import type { Session } from '../../src/transport/session/session.ts'
import { canBePrivate, type PrivateMachine, privateMachine } from './private-machine.ts'

/** Isolated scripts write their output to files. */
describe('a host without space in /run', () => {
  let machine: PrivateMachine
  let session: Session

  before(async function () {
    if (!canBePrivate()) return this.skip()
    machine = await privateMachine(`for one in /dev/shm /tmp /var/tmp; do mount -t tmpfs -o size=1m tmpfs $one; done
mount -o remount,size=8m /run`)
    session = await openSession(machine.as('root'), { host: 'web1' })
  })
  after(async () => {
    await session?.close()
    await machine?.close()
  })

  const run = async (script: string) => {
    const [result] = await session.run([{ script: sh`eval ${script}`, mode: 'isolated' }])
    return { code: result?.code, out: result?.stdout.toString(), err: result?.stderr.toString() }
  }
  const fill = (...places: readonly string[]) =>
    session.run([
      {
        script: sh`for one in ${places}; do head -c 20000000 /dev/zero > $one/filler 2>/dev/null; done; :`,
      },
    ])
  const left = async () => {
    const [result] = await session.run([{ script: sh`ls /run /dev/shm /tmp /var/tmp | grep 'provision[.]' || :` }])
    return result?.stdout.toString()
  }

  it('stores the output of a script in the next directory with space, and removes it', async () => {
    const before = await left()
    await fill('/run')
    const many = await run('seq 1000; echo trouble >&2; exit 3')
    expect(many.code).to.equal(3)
    expect(many.out?.split('\n')).to.have.length(1001)
    expect(many.err).to.equal('trouble\n')
    await fill('/dev/shm')
    expect(await run('echo a; echo b >&2')).to.deep.equal({ code: 0, out: 'a\n', err: 'b\n' })
    expect(await left()).to.equal(before)
  })

  it('reports that the output of a failed script may be incomplete on a full disk', async () => {
    await session.run([{ script: sh`rm -f /run/filler` }])
    const { code, err } = await run('head -c 20000000 /dev/zero | tr "\\0" x; exit 4')
    expect(code).to.equal(4)
    expect(err).to.include('No space left on device: what the script wrote to')
  })

  it('does not run the script if no directory has space, with the reason', async () => {
    await fill('/run', '/dev/shm', '/tmp', '/var/tmp')
    expect(await run('rm -f /run/filler; echo ran')).to.deep.equal({
      code: 125,
      out: '',
      err: 'No space left on device: there is no room in /run, /dev/shm, /tmp and /var/tmp for the output of the script, so it was not run\n',
    })
    await session.run([{ script: sh`rm -f /run/filler` }])
    expect(await run('echo ran')).to.deep.equal({ code: 0, out: 'ran\n', err: '' })
  })
})
