import { absent } from '../../src/resources/files/absent.ts'
import { sha256 } from '../../src/resources/files/content.ts'
import { directory } from '../../src/resources/files/directory.ts'
import { file } from '../../src/resources/files/file.ts'
import { line } from '../../src/resources/files/line.ts'
import { link } from '../../src/resources/files/link.ts'
import { unit } from '../../src/resources/systemd/unit.ts'
import { dir, entry, hash, type Row, secret, secretHash, special, there } from './kind-row.ts'

/** Rows of kinds that act on paths. */
export const FILE_ROWS: Readonly<Record<string, Row>> = {
  'a file that is in the declared state': { step: file('/a', 'text'), have: there },
  'no file': {
    step: file('/a', 'text'),
    have: undefined,
    differs: `create owner root, group root, mode 0644, content ${hash}`,
  },
  'a file with another mode and owner, which alone are changed': {
    step: file('/a', 'text', { owner: 'notes', group: 'adm', mode: '640' }),
    have: there,
    differs: 'change owner root → notes, group root → adm, mode 0644 → 0640',
    runs: ['chmod 0640 /a && chown notes:adm /a && chmod 0640 /a'],
  },
  'a file of an owner that is given as a number': {
    step: file('/a', 'text', { owner: '33', group: '4' }),
    have: entry({ owner: 'www-data', group: 'adm', uid: '33', gid: '4', sha256: sha256('text') }),
  },
  'a file of another owner than the number': {
    step: file('/a', 'text', { owner: '34', group: '4' }),
    have: entry({ owner: 'www-data', group: 'adm', uid: '33', gid: '4', sha256: sha256('text') }),
    differs: 'change owner www-data → 34',
  },
  'a directory of an owner that is given as a number': {
    step: directory('/d', { owner: '0', group: '0' }),
    have: dir,
  },
  'a device in place of a file': {
    step: file('/a', 'text'),
    have: special,
    refuses: '/a is a device, not a file',
  },
  'a socket in place of a file': {
    step: file('/a', 'text'),
    have: entry({ type: 'socket' }),
    refuses: '/a is a socket, not a file',
  },
  'a link to a device that is followed': {
    step: file('/a', 'text', { follow: true }),
    have: entry({ type: 'device', real: '/dev/null' }),
    refuses: '/a leads to /dev/null, which is a device, not a file',
  },
  'a link to another file that is followed': {
    step: file('/a', 'text', { follow: true }),
    have: entry({ real: '/etc/b', sha256: sha256('old') }),
    differs: `change real path /etc/b, content ${secretHash} → ${hash}`,
  },
  'a fifo where a line is wanted': {
    step: line('/a', 'text'),
    have: [entry({ type: 'fifo' }), Buffer.alloc(0)],
    refuses: '/a is a fifo, not a file',
  },
  'a fifo in place of a link': {
    step: link('/a', { target: 'b' }),
    have: entry({ type: 'fifo' }),
    refuses: '/a is a fifo, not a link',
  },
  'a unit that is masked': {
    step: unit('app.service', '[Service]\n'),
    have: [entry({ type: 'link', target: '/dev/null' }), false],
    refuses: 'app.service is masked: /etc/systemd/system/app.service leads to /dev/null',
  },
  'a file with other content': {
    step: file('/a', 'text'),
    have: entry({ sha256: sha256('old') }),
    differs: `change content ${secretHash} → ${hash}`,
  },
  'a secret file with other content, whose hash is hidden': {
    step: file('/a', secret),
    have: entry({ mode: '0600', sha256: sha256('old') }),
    differs: 'change content a secret',
  },
  'no secret file': {
    step: file('/a', secret),
    have: undefined,
    differs: 'create owner root, group root, mode 0600, content a secret',
  },
  'a link in place of a file': {
    step: file('/a', 'text'),
    have: entry({ type: 'link', target: '/b', mode: '0777' }),
    differs: `change type link → file, mode 0777 → 0644, content ${hash}`,
  },
  'a directory in place of a file': {
    step: file('/a', 'text'),
    have: dir,
    refuses: '/a is a directory, not a file',
  },
  'a directory that is in the declared state': { step: directory('/d'), have: dir },
  'no directory': {
    step: directory('/d', { owner: 'notes', mode: '0700' }),
    have: undefined,
    differs: 'create owner notes, group notes, mode 0700',
    runs: ['mkdir -p /d && chown notes:notes /d && chmod 00700 /d'],
  },
  'a directory with the sticky bit': {
    step: directory('/d', { mode: '1777' }),
    have: dir,
    differs: 'change mode 0755 → 1777',
    runs: ['mkdir -p /d && chown root:root /d && chmod 01777 /d'],
  },
  'a file in place of a directory': {
    step: directory('/d'),
    have: there,
    refuses: '/d is a file, not a directory',
  },
  'a device in place of a directory': {
    step: directory('/d'),
    have: special,
    refuses: '/d is a device, not a directory',
  },
  'a link that is in the declared state': {
    step: link('/l', { target: 'a' }),
    have: entry({ type: 'link', target: 'a', mode: '0777' }),
  },
  'no link': { step: link('/l', { target: '-a' }), have: undefined, differs: 'create type link, target -a' },
  'a link to something else': {
    step: link('/l', { target: 'a' }),
    have: entry({ type: 'link', target: 'b' }),
    differs: 'change target b → a',
  },
  'a file in place of a link': {
    step: link('/l', { target: 'a' }),
    have: entry({}),
    differs: 'change type file → link, target  → a',
  },
  'a directory in place of a link': {
    step: link('/l', { target: 'a' }),
    have: dir,
    refuses: '/l is a directory, not a link',
  },
  'nothing, as is wanted': { step: absent('/x'), have: undefined },
  'something that is to go': { step: absent('/x y'), have: dir, differs: 'remove type directory → absent' },
}
