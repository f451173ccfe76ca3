import assert from 'node:assert/strict'
import { converge, fakeHost } from 'provision-ts/testing'
import { welcome } from '../roles/welcome/index.ts'

describe('welcome', () => {
  it('says where one is, and changes nothing the second time', async () => {
    const host = fakeHost({ facts: { hostname: 'web1' } })
    const params = { team: 'the web team', purpose: 'Serves the shop.' }

    const first = await converge(welcome(params), host)
    assert.match(first.files['/etc/welcome']?.text ?? '', /^web1: Serves the shop\.\nIt belongs to the web team/)

    const second = await converge(welcome(params), host)
    assert.deepEqual(second.plan, [])
  })
})
