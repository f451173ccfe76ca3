import { expect } from 'chai'
import { type BaseParams, base } from '../../roles/base/index.ts'
import type { Facts } from '../../src/model/resource/facts.ts'
import { stepsOf, textAt } from './expanded.ts'

const SSHD = '/etc/ssh/sshd_config.d/00-provision.conf'

describe('role base', () => {
  const names = (params: BaseParams = {}, facts: Partial<Facts> = {}) =>
    stepsOf(base(params), facts).map(({ kind, name }) => `${kind} ${name}`)

  it('limits the journal to half a gigabyte by default', () => {
    const path = '/etc/systemd/journald.conf.d/provision.conf'
    expect(textAt(stepsOf(base({})), path)).to.equal('[Journal]\nSystemMaxUse=512M\nRuntimeMaxUse=256M\n')
    expect(textAt(stepsOf(base({ journal: 101 })), path)).to.include('SystemMaxUse=101M\nRuntimeMaxUse=51M')
  })

  it('restarts no service except the journal', () => {
    const steps = stepsOf(base({}))
    const handlers = steps.flatMap(({ notify, satisfies }) => [...notify, ...satisfies].map(({ name }) => name))
    expect(handlers).to.deep.equal(['restart systemd-journald', 'reload ssh'])
  })

  it('does not manage the kernel and the clock in a container', () => {
    expect(names({}, { container: true }).join())
      .to.include('sysctl provision-network')
      .and.not.match(/provision-kernel|chrony/)
    expect(names({}, { container: false }))
      .to.include('sysctl provision-kernel')
      .and.include('service chrony')
  })

  it('allows only keys by default', () => {
    const sshd = (ssh: BaseParams['ssh']) => textAt(stepsOf(base({ ssh })), SSHD)
    expect(sshd({})).to.include('PasswordAuthentication no').and.include('PermitRootLogin prohibit-password')
    expect(sshd({ passwords: true, root: 'never' }))
      .to.include('PasswordAuthentication yes')
      .and.include('PermitRootLogin no')
    expect(names({ ssh: false })).not.to.include('transaction ssh access')
  })

  it('updates all packages except those of the roles, and never reboots', () => {
    const settings = (params: BaseParams) => textAt(stepsOf(base(params)), '/etc/apt/apt.conf.d/60provision')
    expect(settings({})).to.include('  "postgresql";\n').and.include('Automatic-Reboot "false"')
    expect(settings({ manual: ['mine'] })).to.include('Package-Blacklist {\n  "mine";\n};')
    expect(names({ updates: false }).join()).not.to.include('unattended-upgrades')
  })

  it('accepts only Debian 12 and 13', () => {
    const on = (id: string, version: string) => () => names({}, { os: { id, version, codename: 'x' } })
    expect(on('debian', '12')).not.to.throw()
    expect(on('debian', '11')).to.throw('host1 runs Debian 11.')
    expect(on('ubuntu', '24.04')).to.throw('host1 runs Ubuntu 24.04.')
  })
})
