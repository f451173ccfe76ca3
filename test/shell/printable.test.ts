import { expect } from 'chai'
import { printable, printableInColour } from '../../src/shell/printable.ts'

describe('printable text', () => {
  it('escapes control characters except tabs and line ends, and has no colours', () => {
    expect(printable('\u001b[2J\u001b]0;title\u0007a\u0000\u0008\u009b1mb\u007f\tc\nd')).to.equal(
      'a\\x00\\x08b\\x7f\tc\nd',
    )
  })

  it('keeps the last text of a line that overwrites itself', () => {
    expect(printable('10%\r20%\r\ndone\r')).to.equal('20%\ndone')
  })

  it('may keep colours, but no cursor movement', () => {
    expect(printableInColour('\u001b[31mred\u001b[39m \u001b[2Jback\rover')).to.equal(
      '\u001b[31mred\u001b[39m back\\x0dover',
    )
  })
})
