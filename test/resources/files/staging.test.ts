import { expect } from 'chai'
import { stagingPath } from '../../../src/resources/files/staging.ts'

describe('a staging path', () => {
  const LONG = [`${'é'.repeat(127)}1`, `${'é'.repeat(127)}2`, 'x'.repeat(255), '雪'.repeat(85), '🦆'.repeat(63)]

  it('is a valid name in the same directory', () => {
    for (const name of [...LONG, 'a', '-rf', 'new\nline']) {
      const at = stagingPath(`/srv/dir/${name}`)
      expect(at.startsWith('/srv/dir/.')).to.equal(true)
      expect(Buffer.byteLength(at.slice('/srv/dir/'.length))).to.be.at.most(255)
    }
  })

  it('differs from those of other paths before its random end', () => {
    const stems = LONG.map((name) => stagingPath(`/${name}`).slice(0, -8))
    expect(new Set(stems).size).to.equal(LONG.length)
  })

  it('is different each time', () => {
    expect(stagingPath('/a')).not.to.equal(stagingPath('/a'))
  })
})
