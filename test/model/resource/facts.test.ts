import { expect } from 'chai'
import { compareVersions, isSystem, platformOf, systemTitle } from '../../../src/model/resource/facts.ts'
import { readFacts } from '../../../src/model/resource/read-facts.ts'
import { parsed } from '../../resources/parsed.ts'

describe('the system of a host', () => {
  const factsOf = (...lines: readonly string[]) => parsed(readFacts, lines.join('\n'))

  it('has its release as a text, since 24.04 is not 24', () => {
    const { os, platform } = factsOf('ID=ubuntu', 'ID_LIKE=debian', 'VERSION_ID="24.04"', 'VERSION_CODENAME=noble')
    expect(os).to.deep.equal({ id: 'ubuntu', version: '24.04', codename: 'noble' })
    expect(platform).to.equal('debian')
    expect(factsOf('ID=debian', 'VERSION_CODENAME=sid').os).to.deep.equal({
      id: 'debian',
      version: '',
      codename: 'sid',
    })
  })

  it('has the platform of its package manager, by its name or by the systems that it is derived from', () => {
    expect(factsOf('ID="rocky"', 'ID_LIKE="rhel centos fedora"', 'VERSION_ID="9.4"').platform).to.equal('redhat')
    expect(factsOf('ID=mint', 'ID_LIKE="ubuntu debian"').platform).to.equal('debian')
    expect(factsOf('ID=alpine', 'VERSION_ID=3.20.3').platform).to.equal('other')
    expect(platformOf('debian')).to.equal('debian')
    expect(platformOf('fedora')).to.equal('redhat')
  })

  it('has a release that is compared number by number', () => {
    const older = (...[a, b]: readonly [string, string]) => {
      expect(compareVersions(a, b), `${a} ${b}`).to.be.lessThan(0)
      expect(compareVersions(b, a), `${b} ${a}`).to.be.greaterThan(0)
    }
    older('9', '10')
    older('24', '24.04')
    older('24.04', '24.10')
    older('22.04', '24.04')
    older('3.9.1', '3.20')
    older('', '12')
    older('12', 'testing')
    for (const same of ['12', '24.04', '']) expect(compareVersions(same, same)).to.equal(0)
    expect(compareVersions('24.04', '24.4')).to.equal(0)
  })

  it('is named with its release, or without it for all releases', () => {
    const noble = { id: 'ubuntu', version: '24.04', codename: 'noble' }
    expect(['ubuntu 24.04', 'ubuntu'].map((name) => isSystem(name, noble))).to.deep.equal([true, true])
    expect(['ubuntu 24', 'debian 24.04', 'debian'].map((name) => isSystem(name, noble))).to.deep.equal([
      false,
      false,
      false,
    ])
    expect(systemTitle('ubuntu 24.04')).to.equal('Ubuntu 24.04')
  })
})
