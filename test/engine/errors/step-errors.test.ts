import { writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import { handler } from '../../../src/model/resource/handler.ts'
import { plain, showProblem } from '../../../src/report/problem.ts'
import { file } from '../../../src/resources/files/file.ts'
import { command } from '../../../src/resources/system/command.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig, type Plays } from '../../support/rig.ts'

/** The complete messages of failures on a host, each from a real failure. */
describe('the message of a failure', () => {
  const rig = ownRig({ private: true })

  const never = sh`false`
  const textOf = async (plays: Plays) => {
    const { events } = await rig.run(plays)
    const failed = events.flatMap((event) => (event.kind === 'failed' ? [event.problem] : []))
    return failed
      .map((problem) => showProblem(problem, plain))
      .join('\n')
      .replaceAll(rig.directory, 'DIR')
      .replace(/\n {3}at \S+/, '\n   at PLACE')
  }

  it('of a step has the command, its last lines, the likely cause and the next action', async () => {
    const text = await textOf((web) => [
      play('web', { hosts: web }, () => [
        command('start', sh`echo trying; echo 'bind: 0.0.0.0:80: Address already in use' >&2; exit 3`, {
          unless: never,
        }),
      ]),
    ])
    expect(text).to.equal(`error: web1: command start failed: exit status 3
   at PLACE
   $ echo trying; echo 'bind: 0.0.0.0:80: Address already in use' >&2; exit 3
     trying
     bind: 0.0.0.0:80: Address already in use
   Likely cause: another program listens at port 80.
   See which: ss -ltnp 'sport = :80'. What came before it on this host is done. Fix the cause and run the same command again: it goes on from there.`)
  })

  it('of a step without output has no likely cause', async () => {
    const text = await textOf((web) => [
      play('web', { hosts: web }, () => [command('fail', sh`exit 3`, { unless: never })]),
    ])
    expect(text).to.equal(`error: web1: command fail failed: exit status 3
   at PLACE
   $ exit 3
   What came before it on this host is done. Fix the cause and run the same command again: it goes on from there.`)
  })

  it('of a step at its timeout says that it was killed', async () => {
    const text = await textOf((web) => [
      play('web', { hosts: web }, () => [command('hang', sh`sleep 60`, { unless: never, timeout: '200ms' })]),
    ])
    expect(text).to.match(/^error: web1: command hang failed: no end after 0\.20 s, so it was killed\n {3}at PLACE\n/)
    expect(text).not.to.include('Likely cause')
  })

  it('of a handler says that the handler is pending', async () => {
    const path = rig.empty()
    const reload = handler('reload', sh`cat ${`${path}/gone`}`)
    const text = await textOf((web) => [
      play('web', { hosts: web }, () => [file(`${path}/a`, 'a', { ...rig.own, notify: reload })]),
    ])
    expect(
      text.replaceAll(path.replace(rig.directory, 'DIR'), 'HERE'),
    ).to.equal(`error: web1: handler "reload" failed: exit status 1
   $ cat HERE/gone
     cat: HERE/gone: No such file or directory
   Likely cause: there is no HERE/gone.
   Correct the path, or make it in a step before this one. The handler stays pending on the host: the next run tries it again.`)
  })

  it('of a step that does not converge says what differs', async () => {
    const path = rig.empty()
    writeFileSync(`${path}/a`, '')
    const text = await textOf((web) => [
      play('web', { hosts: web }, () => [command('in vain', sh`:`, { unless: never })]),
    ])
    expect(text).to.equal(`error: web1: command in vain did not converge: after its commands it would still run
   at PLACE
   Something on the host undoes the change, or two steps want different things of it.`)
  })
})
