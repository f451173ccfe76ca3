import { expect } from 'chai'
import { role } from '../../src/model/playbook/role.ts'
import { handler } from '../../src/model/resource/handler.ts'
import { known } from '../../src/model/resource/read.ts'
import { resource } from '../../src/model/resource/step.ts'
import { directory } from '../../src/resources/files/directory.ts'
import { file } from '../../src/resources/files/file.ts'
import { dropIn } from '../../src/resources/systemd/unit.ts'
import { sh } from '../../src/shell/sh.ts'

const ownKind = resource('own kind', {
  id: ({ name }: { readonly name: string }) => name,
  read: () => known(true),
  diff: () => undefined,
  apply: () => [],
})

describe('the place of a step', () => {
  it('is that of the call in the file of the user, for each kind of call', () => {
    const calls = [
      file('/a', ''),
      directory('/a'),
      dropIn('a.service', 'b', ''),
      ownKind({ name: 'a' }),
      role('a', (_params: object) => [])({}),
    ]
    expect(calls.map(({ source }) => source?.file)).to.deep.equal(calls.map(() => import.meta.filename))
    expect(new Set(calls.map(({ source }) => `${source?.line}:${source?.column}`)).size).to.equal(calls.length)
  })

  it('leaves other stack traces unchanged', () => {
    const { prepareStackTrace, stackTraceLimit } = Error
    file('/a', '')
    expect([Error.prepareStackTrace, Error.stackTraceLimit]).to.deep.equal([prepareStackTrace, stackTraceLimit])
  })
})

describe('a step', () => {
  it('is frozen, and accepts one handler or several', () => {
    const [one, two] = [handler('one', sh`:`), handler('two', sh`:`)]
    expect(file('/a', '', { notify: one }).notify).to.deep.equal([one])
    expect(file('/a', '', { notify: [one, two] }).notify).to.deep.equal([one, two])
    expect(file('/a', '').notify).to.deep.equal([])
    expect(Object.isFrozen(file('/a', ''))).to.equal(true)
  })
})
