import assert from 'node:assert/strict'
import { converge, fakeHost } from 'provision-ts/testing'
import { sample } from '../roles/sample/index.ts'

describe('sample', () => {
  it('writes its configuration, and changes nothing the second time', async () => {
    const host = fakeHost()

    const first = await converge(sample({ port: 8080 }), host)
    assert.match(first.files['/etc/sample.conf']?.text ?? '', /^port = 8080\nlevel = info$/m)

    const second = await converge(sample({ port: 8080 }), host)
    assert.deepEqual(second.plan, [])
  })
})
