import { block } from '../../src/resources/files/block.ts'
import { replace } from '../../src/resources/files/replace.ts'
import { setting } from '../../src/resources/files/setting.ts'
import { entry, type Row } from './kind-row.ts'

const text = (content: string) => [entry({ size: content.length }), Buffer.from(content)]
const nothing = [undefined, Buffer.alloc(0)]

/** Rows of kinds that edit a file. */
export const EDIT_ROWS: Readonly<Record<string, Row>> = {
  'a block that is there': { step: block('/a', 'x', 'y'), have: text('# BEGIN provision x\ny\n# END provision x\n') },
  'a block with another text': {
    step: block('/a', 'x', 'z'),
    have: text('# BEGIN provision x\ny\n# END provision x\n'),
    differs: 'change line y → z',
  },
  'no block': {
    step: block('/a', 'x', 'y'),
    have: nothing,
    differs: 'create line # BEGIN provision x, line y, line # END provision x',
  },
  'a block that is to go': {
    step: block.absent('/a', 'x'),
    have: text('# BEGIN provision x\n# END provision x\n'),
    differs: 'remove line # BEGIN provision x → absent, line # END provision x → absent',
  },
  'a block without its end': {
    step: block('/a', 'x', 'y'),
    have: text('# BEGIN provision x\n'),
    refuses: 'so the block is not known',
  },
  'a setting that has its value': { step: setting('/a.ini', 'b', 1), have: text('b = 1\n') },
  'a setting with another value': {
    step: setting('/a.yaml', ['a', 'b'], 2),
    have: text('a:\n  b: 1\n'),
    differs: 'change a.b 1 → 2',
  },
  'no setting': { step: setting('/a.toml', 'b', 1), have: nothing, differs: 'create b 1' },
  'a setting that is to go': {
    step: setting.absent('/a.json', 'b'),
    have: text('{"b": [1]}'),
    differs: 'remove b [1] → absent',
  },
  'a file that is not of the format': {
    step: setting('/a.json', 'b', 1),
    have: text('b'),
    refuses: '/a.json is not valid JSON',
  },
  'a text without a match': { step: replace('/a', /x/, 'y'), have: text('z\n') },
  'a text with a match': { step: replace('/a', /x/, 'y'), have: text('x\n'), differs: 'change line x → y' },
  'a directory in place of a text': {
    step: replace('/a', /x/, 'y'),
    have: [entry({ type: 'directory' }), Buffer.alloc(0)],
    refuses: '/a is a directory, not a file',
  },
}
