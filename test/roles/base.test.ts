import { expect } from 'chai'
import { base } from '../../roles/base/index.ts'
import { stepsOf, textAt } from './unfolded.ts'

describe('role base', () => {
  it('limits the journal to half a gigabyte, unless told otherwise', () => {
    const path = '/etc/systemd/journald.conf.d/provision.conf'
    expect(textAt(stepsOf(base({})), path)).to.equal('[Journal]\nSystemMaxUse=512M\nRuntimeMaxUse=256M\n')
    expect(textAt(stepsOf(base({ journal: 101 })), path)).to.include('SystemMaxUse=101M\nRuntimeMaxUse=51M')
  })

  it('touches no service but the journal', () => {
    const handlers = stepsOf(base({})).flatMap(({ notify }) => notify.map(({ name }) => name))
    expect(handlers).to.deep.equal(['restart systemd-journald'])
  })
})
