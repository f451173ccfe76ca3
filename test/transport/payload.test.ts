import { spawnSync } from 'node:child_process'
import { expect } from 'chai'
import { payload } from '../../src/transport/session/frame.ts'

describe('a payload', () => {
  const all = Array.from({ length: 256 }, (_, byte) => byte)
  const inputs = [
    all,
    [...all].reverse(),
    [0, 0x31, 0, 0x37],
    [0x2d, 0x6e],
    [0x25, 0x73, 0x5c, 0x6e],
    [0x27],
    [0x0a],
    [0x81, 0x5c, 0x88],
  ]

  for (const shell of ['dash', 'busybox sh', 'bash --posix'])
    it(`is written by ${shell} byte for byte`, function () {
      const [program = shell, ...args] = shell.split(' ')
      if (spawnSync(program, ['true']).error) return this.skip()
      for (const bytes of inputs) {
        const input = Buffer.from(`LC_ALL=C\n${payload(Buffer.from(bytes))}`, 'latin1')
        expect([...spawnSync(program, args, { input }).stdout]).to.deep.equal(bytes)
      }
    })
})
