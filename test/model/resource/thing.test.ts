import { expect } from 'chai'
import { stepOn } from '../../../src/model/playbook/expand.ts'
import type { Steps } from '../../../src/model/playbook/steps.ts'
import { type Step, thingsOf } from '../../../src/model/resource/step.ts'
import { isNamed } from '../../../src/model/resource/thing.ts'
import { concat } from '../../../src/resources/files/concat.ts'
import { directory } from '../../../src/resources/files/directory.ts'
import { file } from '../../../src/resources/files/file.ts'
import { line } from '../../../src/resources/files/line.ts'
import { firewall } from '../../../src/resources/firewall/firewall.ts'
import { pkg } from '../../../src/resources/packages/package.ts'
import { aptSource } from '../../../src/resources/packages/source.ts'
import { cron } from '../../../src/resources/system/cron.ts'
import { sysctl } from '../../../src/resources/system/sysctl.ts'
import { user } from '../../../src/resources/system/user.ts'
import { service } from '../../../src/resources/systemd/service.ts'
import { timer } from '../../../src/resources/systemd/timer.ts'
import { dropIn, unit } from '../../../src/resources/systemd/unit.ts'
import { sh } from '../../../src/shell/sh.ts'

const KEY = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n-----END PGP PUBLIC KEY BLOCK-----\n'

describe('the things that a step sets', () => {
  const all = (steps: Steps): readonly string[] =>
    flat(steps)
      .flatMap(thingsOf)
      .map(({ type, name }) => `${type} ${name}`)
  const rows: readonly (readonly [string, Steps, readonly string[]])[] = [
    ['a file', file('/etc/a', ''), ['path /etc/a']],
    ['a directory', directory('/srv/a'), ['path /srv/a']],
    ['a line of a file', line('/etc/a', 'x'), ['path /etc/a']],
    ['a file of fragments', concat('/etc/a', '10', 'x'), ['path /etc/a']],
    ['packages', pkg('nginx', 'curl:amd64'), ['package nginx', 'package curl']],
    ['an absent package', pkg.absent('telnetd'), ['package telnetd']],
    ['a service', service('nginx'), ['unit nginx.service']],
    ['a unit', unit('a.service', ''), ['path /etc/systemd/system/a.service', 'unit a.service']],
    ['a drop-in', dropIn('a.service', 'b', ''), ['path /etc/systemd/system/a.service.d/b.conf', 'unit a.service']],
    ['a timer', timer('a', { at: 'daily', run: sh`true` }), ['unit a.service', 'unit a.timer']],
    ['no timer', timer.absent('a'), ['path /etc/systemd/system/a.timer', 'unit a.timer', 'unit a.service']],
    ['jobs of cron', cron('a', [{ at: '@daily', run: sh`true` }]), ['path /etc/cron.d/a']],
    ['a user', user('ana'), ['user ana']],
    ['kernel settings', sysctl('a', { 'vm.swappiness': 1 }), ['path /etc/sysctl.d/60-a.conf', 'sysctl vm.swappiness']],
    [
      'an apt source',
      aptSource('a', { uri: 'https://apt.example.com', suites: 'stable', components: ['main'], key: KEY }),
      ['path /etc/apt/sources.list.d/a.sources'],
    ],
    [
      'a firewall',
      firewall([
        { port: [80, '8000-8100'], from: 'anywhere' },
        { port: 53, protocol: 'udp', from: 'anywhere' },
      ]),
      ['port 80', 'port 8000-8100', 'port 53/udp'],
    ],
  ]
  for (const [what, steps, things] of rows)
    it(`are found: ${what}`, () => {
      expect(all(steps)).to.include.members([...things])
    })

  it('have no name of a host for a delegated step', () => {
    const step = stepOn(user('ana'), { name: 'db1', group: 'db', address: '10.0.0.1' })
    expect(thingsOf(step)).to.deep.equal([{ type: 'user', name: 'ana' }])
  })

  it('are named with and without the suffix, the type and the protocol', () => {
    const nginx = { type: 'unit', name: 'nginx.service' }
    for (const name of ['nginx', 'nginx.service', 'unit:nginx']) expect(isNamed(nginx, name), name).to.equal(true)
    for (const name of ['package:nginx', 'nginx.socket', 'ngin']) expect(isNamed(nginx, name), name).to.equal(false)
    const ports = { type: 'port', name: '8000-8100' }
    for (const name of ['8000', '8080/tcp', '8100']) expect(isNamed(ports, name), name).to.equal(true)
    for (const name of ['7999', '8101', '8080/udp', '80', '']) expect(isNamed(ports, name), name).to.equal(false)
    expect(isNamed({ type: 'port', name: '53/udp' }, '53/udp')).to.equal(true)
    expect(isNamed({ type: 'port', name: '53/udp' }, '53')).to.equal(false)
  })

  it('include the paths below a tree, and not those below a directory', () => {
    const tree = { type: 'path', name: '/srv/app', below: true }
    for (const name of ['/srv/app', '/srv/app/', '/srv/app/a/b']) expect(isNamed(tree, name), name).to.equal(true)
    expect(isNamed(tree, '/srv/application')).to.equal(false)
    expect(isNamed({ type: 'path', name: '/srv/app' }, '/srv/app/a')).to.equal(false)
  })
})

function flat(steps: Steps): readonly Step[] {
  if (!steps) return []
  if (Array.isArray(steps)) return steps.flatMap(flat)
  return 'kind' in steps ? [steps, ...(steps.parts ?? [])] : []
}
