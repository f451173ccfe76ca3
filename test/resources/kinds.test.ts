import { expect } from 'chai'
import { Problem } from '../../src/model/problem.ts'
import type { Step } from '../../src/model/resource/step.ts'
import { file } from '../../src/resources/files/file.ts'
import { pkg } from '../../src/resources/packages/package.ts'
import { command } from '../../src/resources/system/command.ts'
import { service } from '../../src/resources/systemd/service.ts'
import { dropIn } from '../../src/resources/systemd/unit.ts'
import { sh } from '../../src/shell/sh.ts'
import { packages, secret, version } from './kind-row.ts'
import { ROWS } from './rows.ts'

describe('each kind', () => {
  for (const [what, { step, have, differs, runs, refuses }] of Object.entries(ROWS))
    it(`handles ${what}`, () => {
      if (refuses !== undefined) {
        expect(() => step.diff(have)).to.throw(Problem, refuses)
        return
      }
      const found = step.diff(have)
      expect(found && `${found.action} ${found.fields.map(words).join(', ')}`.trim()).to.equal(differs)
      if (runs) expect(step.apply(have).map(({ script }) => script.text)).to.deep.equal(runs)
    })

  it('rejects a pattern as the path that a command creates', () => {
    expect(() => command('a', sh`:`, { creates: '/srv/*.done' })).to.throw(TypeError, 'patterns are not expanded')
  })

  it('rejects invalid names of units', () => {
    for (const name of ['', 'a b', 'a/b', '../x', 'x'.repeat(256)])
      expect(() => service(name), name).to.throw(TypeError, 'is not the name of a unit')
    expect(() => service('app@')).to.throw(TypeError, '"app@" is a template without an instance: write app@INSTANCE')
  })

  it('is named by its path or name', () => {
    expect(dropIn('haproxy.service', 'limits', '')).to.include({
      kind: 'unit',
      name: '/etc/systemd/system/haproxy.service.d/limits.conf',
    })
    expect(service('nginx.service')).to.include({ kind: 'service', name: 'nginx' })
    expect(pkg('nginx', 'curl').name).to.equal('nginx, curl')
  })

  it('installs only missing packages and starts no service', () => {
    const [install] = pkg('nginx', 'curl').apply(packages(version(undefined), version('1')))
    expect(install?.script.text)
      .to.match(/^set -- nginx\n/)
      .and.to.include('policy-rc.d')
  })

  it('shows changed texts, but not those of secrets and binary files', () => {
    const texts = (step: Step) => step.diff(undefined)?.texts?.map(({ path, after }) => [path, after])
    expect(texts(file('/a', 'text'))).to.deep.equal([['/a', 'text']])
    expect(texts(file('/a', secret))).to.deep.equal([['/a', undefined]])
    expect(texts(file('/a', Buffer.from([0xff, 0])))).to.deep.equal([['/a', undefined]])
  })
})

function words({ name, from, to }: { readonly name: string; readonly from?: string; readonly to: string }) {
  return from === undefined ? `${name} ${to}` : `${name} ${from} → ${to}`
}
