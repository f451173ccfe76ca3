import { expect } from 'chai'
import { readAll } from '../../../src/model/resource/read.ts'
import type { Step } from '../../../src/model/resource/step.ts'
import { cron } from '../../../src/resources/system/cron.ts'
import { service } from '../../../src/resources/systemd/service.ts'
import { execLine, timer } from '../../../src/resources/systemd/timer.ts'
import { changedSince, userUnitState } from '../../../src/resources/systemd/unit-state.ts'
import { sh } from '../../../src/shell/sh.ts'
import { converge, fakeHost } from '../../../src/testing/index.ts'
import { running } from '../kind-row.ts'
import { parsed } from '../parsed.ts'

describe('a service', () => {
  it('has no options that contradict each other', () => {
    expect(() => service('a', { masked: true, state: 'running' })).to.throw(
      TypeError,
      'service a: a masked unit can be neither running nor enabled',
    )
    expect(() => service('a', { masked: true, enabled: true })).to.throw(
      TypeError,
      'can be neither running nor enabled',
    )
    expect(() => service('a', { state: 'stopped', restartedWhen: ['/a'] })).to.throw(
      TypeError,
      'service a: restartedWhen is for a running service',
    )
    expect(() => service('a', { user: '-x' })).to.throw(TypeError, 'service a: "-x" is not the name of a user')
    expect(() => service('a', { restartedWhen: ['/a/'] })).to.throw(TypeError, 'service a: restartedWhen: the path')
  })

  it('of a user is started in the instance of the user, which is started first', () => {
    const step = service('sync', { user: 'ana' })
    expect(step.name).to.equal('sync of ana')
    const scripts = step.apply({ ...running, active: false, lingers: false }).map(({ script }) => script.text)
    expect(scripts[0]).to.equal('loginctl enable-linger ana')
    expect(scripts[1]).to.include('user_systemctl start sync.service').and.include('runuser -u ana')
    expect(scripts[1]).to.include('The systemd instance of ana does not start')
  })

  it('of a user is read in the instance of the user; all are stopped while that does not run', () => {
    const answer =
      '\nUser=ana\n\nId=a.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no\n\nUser=bob\n\n'
    const [ana, bob] = parsed(readAll(['ana', 'bob'].map((user) => userUnitState(user, 'a.service'))), answer)
    expect(ana).to.include({ active: true, enabled: true })
    expect(bob).to.include({ active: false, enabled: false, isLoaded: true })
  })

  it('is older than files that were changed after its start', () => {
    const answer = [
      'Id=a.service\nInactiveExitTimestamp=Mon 2026-11-30 12:00:00.500000 UTC\n',
      'Id=b.service\nInactiveExitTimestamp=\n',
      `Path=${Date.parse('2026-11-30T12:00:00Z') / 1000}.4999990000 /etc/before`,
      `Path=${Date.parse('2026-11-30T12:00:00Z') / 1000}.5000010000 /etc/after it`,
    ].join('\n')
    const answered = answer.replaceAll('\nPath', '\n\nPath').replaceAll('\n\n\n', '\n\n')
    const paths = ['/etc/before', '/etc/after it', '/etc/missing']
    expect(
      parsed(readAll(['a.service', 'b.service'].map((unit) => changedSince(unit, paths))), answered),
    ).to.deep.equal([['/etc/after it'], []])
  })
})

describe('a timer', () => {
  it('has a name and a time', () => {
    for (const name of ['', 'a b', '../x'])
      expect(() => timer(name, { at: 'daily', run: sh`true` })).to.throw(TypeError)
    for (const at of ['', [], 'daily\nx'])
      expect(() => timer('a', { at, run: sh`true` })).to.throw(TypeError, 'timer a: at is not a time such as daily')
    expect(() => timer('a', { at: 'daily', run: sh`true`, as: '-x' })).to.throw(
      TypeError,
      '"-x" is not the name of a user',
    )
    expect(() => timer.absent('a b')).to.throw(TypeError, 'timer.absent: "a b" is not the name of a unit')
  })

  it('is two units, and enabled', async () => {
    const steps = timer('job', {
      ...{ at: ['daily', 'Mon 03:00'], run: sh`echo ${'100% "$HOME"'}`, as: 'ana' },
      ...{ randomDelay: '5m', maxRuntime: '1h' },
    })
    const host = fakeHost()
    const run = await converge(steps, host)
    expect(run.plan).to.deep.equal([
      'create unit /etc/systemd/system/job.service',
      'create unit /etc/systemd/system/job.timer',
      'start service job.timer',
    ])
    expect(run.files['/etc/systemd/system/job.service']?.text).to.equal(
      '[Unit]\nDescription=job, by its timer\n[Service]\nType=oneshot\nUser=ana\nTimeoutStartSec=3600\n' +
        `ExecStart=/bin/sh -c "echo '100%% \\"$$HOME\\"'"\n`,
    )
    expect(run.files['/etc/systemd/system/job.timer']?.text).to.include(
      'OnCalendar=daily\nOnCalendar=Mon 03:00\nPersistent=true\nRandomizedDelaySec=300\n',
    )
    expect((await converge(timer.absent('job'), host)).plan).to.deep.equal(['remove timer job'])
    expect((await converge(timer.absent('job'), host)).plan).to.deep.equal([])
  })

  it('is read with the errors of systemd', () => {
    const [calendar] = timer('job', { at: ['daily', 'x'], run: sh`true` }) as readonly [Step]
    expect(parsed(calendar.read, '\nFailed to parse\n')).to.deep.equal([undefined, 'Failed to parse'])
  })

  it('escapes what systemd would replace', () => {
    expect(
      execLine(sh`a\b
echo ${'%n $x'}`),
    ).to.equal(`/bin/sh -c "a\\\\b\\necho '%%n $$x'"`)
  })
})

describe('a file of cron', () => {
  it('has a name that cron accepts, jobs and variables', () => {
    for (const name of ['', 'a.b', 'a/b']) expect(() => cron(name, [])).to.throw(TypeError, 'is not a name of letters')
    expect(() => cron('a', [])).to.throw(TypeError, 'cron a: no jobs; to remove the file, use cron.absent')
    expect(() => cron('a', [{ at: '@daily', run: sh`true`, as: 'a b' }])).to.throw(
      TypeError,
      '"a b" is not the name of a user',
    )
    expect(() =>
      cron('a', [
        {
          at: '@daily',
          run: sh`true
false`,
        },
      ]),
    ).to.throw(TypeError, 'the command must have one line')
    expect(() => cron('a', [{ at: '@daily', run: sh`true` }], { env: { 'A B': '' } })).to.throw(
      TypeError,
      'cron a: "A B" is not a variable with a value of one line',
    )
  })

  it('has times that cron accepts, since one wrong time disables the file', () => {
    const at = (time: string) => () => cron('a', [{ at: time, run: sh`true` }])
    for (const time of ['* * * * *', '*/5 0-6 1,15 jan-mar mon', '0 3 * * 7', '@reboot', '1-59/2 * * * *'])
      expect(at(time), time).not.to.throw()
    for (const time of [
      '',
      '60 * * * *',
      '* * * *',
      '* * 0 * *',
      '5/2 * * * *',
      '9-3 * * * *',
      '*/0 * * * *',
      '@often',
      '*-5 * * * *',
      '* * * * mo',
    ])
      expect(at(time), time).to.throw(TypeError, 'is not a time such as "15 3 * * *" or @daily')
  })

  it('is one whole file that ends with a line feed, with percent signs escaped', async () => {
    const steps = cron('job', [{ at: '5  3 * * *', run: sh`date +%F`, as: 'ana' }], { env: { MAILTO: '' } })
    const host = fakeHost({ packages: ['cron'] })
    const run = await converge(steps, host)
    expect(run.plan).to.deep.equal(['create cron /etc/cron.d/job'])
    expect(run.files['/etc/cron.d/job']?.text).to.match(/\nMAILTO=""\n5 3 \* \* \* ana date \+\\%F\n$/)
    expect((await converge(cron.absent('job'), host)).plan).to.deep.equal(['remove absent /etc/cron.d/job'])
  })

  it('is a problem on a host without cron', () => {
    expect(cron('job', [{ at: '@daily', run: sh`true` }]).diff([undefined, false])?.problem?.message).to.equal(
      'The host has no cron, so the jobs would never run',
    )
  })
})
