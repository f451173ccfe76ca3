import { acl } from '../../src/resources/files/acl.ts'
import { attributes } from '../../src/resources/files/attributes.ts'
import { block } from '../../src/resources/files/block.ts'
import { concat } from '../../src/resources/files/concat.ts'
import { sha256 } from '../../src/resources/files/content.ts'
import { copied } from '../../src/resources/files/copied.ts'
import { file } from '../../src/resources/files/file.ts'
import { replace } from '../../src/resources/files/replace.ts'
import { setting } from '../../src/resources/files/setting.ts'
import { localDirectory, tree } from '../../src/resources/files/tree.ts'
import { dpkgDivert } from '../../src/resources/packages/divert.ts'
import { caCertificate } from '../../src/resources/system/ca-certificate.ts'
import { knownHosts } from '../../src/resources/system/known-hosts.ts'
import { sudoers } from '../../src/resources/system/sudoers.ts'
import { dir, entry, hash, type Row, there } from './kind-row.ts'

const text = (content: string) => [entry({ size: content.length }), Buffer.from(content)]
const nothing = [undefined, Buffer.alloc(0)]

const below = (count: number, ...shown: readonly string[]) => ({ count, shown })

/** Rows of kinds that edit a file, or leave its content as it is. */
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
  'a file that is made once, and is another by now': {
    step: file('/a', 'text', { once: true }),
    have: entry({ mode: '0600' }),
  },
  'no file that is made once': {
    step: file('/a', 'text', { once: true }),
    have: undefined,
    differs: `create owner root, group root, mode 0644, content ${hash}`,
  },
  'a copy like its original': { step: copied('/b', '/a'), have: [there, [sha256('text'), sha256('text')]] },
  'a copy of another mode and content': {
    step: copied('/b', '/a', { mode: '0600' }),
    have: [there, [sha256('text'), sha256('old')]],
    differs: `change mode 0644 → 0600, content ${sha256('old').slice(0, 12)} → ${hash}`,
  },
  'a copy without its original': {
    step: copied('/b', '/a'),
    have: [undefined, [undefined, undefined]],
    refuses: 'There is no file /b to copy to /a',
  },
  'a directory in place of a copy': {
    step: copied('/b', '/a'),
    have: [dir, []],
    refuses: '/a is a directory, not a file',
  },
  'attributes as they are wanted': { step: attributes('/a', { mode: '0644', owner: '0' }), have: [there, below(0)] },
  'other attributes': {
    step: attributes('/a', { owner: 'app', group: 'adm', mode: '0640' }),
    have: [there, below(0)],
    differs: 'change owner root → app, group root → adm, mode 0644 → 0640',
    runs: ['chown app:adm /a && chmod 00640 /a'],
  },
  'a group alone': {
    step: attributes('/a', { group: 'adm' }),
    have: [there, below(0)],
    differs: 'change group root → adm',
    runs: ['chown :adm /a'],
  },
  'attributes of a tree that are as wanted': {
    step: attributes('/d', { owner: 'app', recursive: true }),
    have: [dir, below(0)],
  },
  'attributes of a tree of which entries differ': {
    step: attributes('/d', { owner: 'app', recursive: true }),
    have: [dir, below(3, 'a', 'b')],
    differs: 'change all entries owner app, entry a, entry b, more entries 1',
  },
  'attributes of nothing': {
    step: attributes('/a', { mode: '0644' }),
    have: [undefined, below(0)],
    refuses: 'There is nothing at /a, so it has no owner and mode',
  },
  'a file of fragments': {
    step: concat('/a', 'x', 'text'),
    have: undefined,
    differs: `create owner root, group root, mode 0644, content ${sha256('text\n').slice(0, 12)}`,
  },
  'a path that is diverted': { step: dpkgDivert('/a'), have: { to: '/a.distrib', owner: ':' } },
  'a path that is not diverted': {
    step: dpkgDivert('/a'),
    have: undefined,
    differs: 'create to /a.distrib',
    runs: ['dpkg-divert --quiet --local --rename --divert /a.distrib --add /a'],
  },
  'a path that is diverted elsewhere': {
    step: dpkgDivert('/a', { to: '/b' }),
    have: { to: '/c', owner: ':' },
    differs: 'change to /c → /b',
  },
  'a path that a package diverts': {
    step: dpkgDivert.absent('/a'),
    have: { to: '/a.usr-is-merged', owner: 'usrmerge' },
    refuses: 'The package usrmerge diverts /a to /a.usr-is-merged',
  },
  'no diversion': { step: dpkgDivert.absent('/a'), have: undefined },
  'a diversion that is to go': {
    step: dpkgDivert.absent('/a'),
    have: { to: '/b', owner: ':' },
    differs: 'remove to /b → absent',
  },
  'rights that are as declared': {
    step: acl('/a', { 'user:ana': 'rx' }),
    have: new Map([
      ['user:ana', 'r-x'],
      ['mask:', 'rwx'],
      ['user:ben', 'rwx'],
    ]),
  },
  'rights of others': {
    step: acl('/a', { 'user:ana': 'rx' }, { exclusive: true, absent: ['group:adm'] }),
    have: new Map([
      ['user:', 'rw-'],
      ['user:ben', 'rwx'],
      ['group:adm', 'r--'],
      ['default:user:ben', 'r--'],
    ]),
    differs: 'change user:ana r-x, user:ben rwx → absent, group:adm r-- → absent, default:user:ben r-- → absent',
    runs: ['setfacl -m user:ana:r-x -x user:ben,group:adm,default:user:ben -- /a'],
  },
  'rights that the mode of a file limits': {
    step: acl('/a', { 'user:ana': 'rw' }),
    have: new Map([
      ['user:ana', 'rw-'],
      ['mask:', 'r--'],
    ]),
    differs: 'change user:ana r-- → rw-',
    runs: ['setfacl -m user:ana:rw-  -- /a'],
  },
  'rights of nothing': {
    step: acl('/a', { 'user:ana': 'r' }),
    have: undefined,
    differs: 'change user:ana r--',
  },
  'rights without the package acl': {
    step: acl('/a', { 'user:ana': 'r' }),
    have: 'no getfacl',
    differs: 'change user:ana r--',
  },
  'no known host': { step: knownHosts.absent('git'), have: nothing },
  'the key of a host that is no longer wanted': {
    step: knownHosts.absent('git'),
    have: text('git ssh-rsa x\n'),
    differs: 'remove line git ssh-rsa x → absent',
  },
  'rules of sudo that are to go': { step: sudoers.absent('app'), have: [undefined] },
  'no rules of sudo': { step: sudoers('app', 'text'), have: [undefined], differs: 'change' },
  'a certificate that is trusted no more': {
    step: caCertificate.absent('own'),
    have: [undefined, true],
    differs: 'change trusted certificates with it → without it',
  },
  'a file in place of a tree': {
    step: tree('/d', localDirectory(import.meta, '../integration/kinds/content')),
    have: new Map([['', 'f 0644 root root 1']]),
    refuses: '/d is a file, not a directory',
  },
  'a text without a match': { step: replace('/a', /x/, 'y'), have: text('z\n') },
  'a text with a match': { step: replace('/a', /x/, 'y'), have: text('x\n'), differs: 'change line x → y' },
  'a directory in place of a text': {
    step: replace('/a', /x/, 'y'),
    have: [entry({ type: 'directory' }), Buffer.alloc(0)],
    refuses: '/a is a directory, not a file',
  },
}
