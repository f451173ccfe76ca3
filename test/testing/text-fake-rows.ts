import { attributes } from '../../src/resources/files/attributes.ts'
import { block } from '../../src/resources/files/block.ts'
import { concat } from '../../src/resources/files/concat.ts'
import { copied } from '../../src/resources/files/copied.ts'
import { file } from '../../src/resources/files/file.ts'
import { line } from '../../src/resources/files/line.ts'
import { replace } from '../../src/resources/files/replace.ts'
import { setting } from '../../src/resources/files/setting.ts'
import { localDirectory, tree } from '../../src/resources/files/tree.ts'
import { knownHosts } from '../../src/resources/system/known-hosts.ts'
import { transaction } from '../../src/resources/transaction/transaction.ts'
import type { FakeRow } from './fake-rows.ts'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIj0Xp8rkLtZ5LuWJ3S9JqCbU3sYxsYv3vP2yKb1uWkM'

/** Steps that edit files and trees. */
export const TEXT_FAKE_ROWS: Readonly<Record<string, FakeRow>> = {
  'places of lines, blocks and replacements': {
    steps: (root, own) => [
      file(`${root}/text`, 'a 1\nb\na 2', own),
      line(`${root}/text`, 'c', { before: /^b/ }),
      line(`${root}/text`, ([, number]) => `a = ${number}`, { match: /^a (?:= )?(\d)/ }),
      line.absent(`${root}/text`, /^c/),
      block(`${root}/text`, 'one', '1\n2\n', { first: true }),
      replace(`${root}/text`, /a = /, 'a: '),
      block.absent(`${root}/text`, 'one'),
      block(`${root}/fresh`, 'one', '1\n'),
      replace(`${root}/never`, /a/, 'b'),
      line.absent(`${root}/never`, 'a'),
      transaction('edits', [
        line(`${root}/text`, 'x'),
        block(`${root}/text`, 'two', 'y'),
        block(`${root}/other`, 'three', 'z'),
      ]),
    ],
  },
  'settings in files of each format': {
    steps: (root, own) => [
      file(`${root}/a.json`, '{\n  "a": 1 // one\n}\n', own),
      setting(`${root}/a.json`, ['b', 'c'], [1]),
      setting.absent(`${root}/a.json`, 'a'),
      setting(`${root}/new.ini`, ['section', 'a'], 'b'),
      setting(`${root}/new.yaml`, ['a', 'b'], 'yes'),
      setting(`${root}/new.toml`, ['a', 'b'], 1),
      setting.absent(`${root}/never.toml`, 'a'),
    ],
  },
  'attributes, copies and fragments': {
    steps: (root, own) => [
      file(`${root}/tree/plain`, 'x', { ...own, once: true }),
      file(`${root}/tree/plain`, 'other', { ...own, once: true }),
      file(`${root}/tree/program`, 'x', { ...own, mode: '0755' }),
      attributes(`${root}/tree`, { mode: '0640', recursive: true }),
      attributes(`${root}/tree/plain`, { mode: '0600' }),
      copied(`${root}/tree/plain`, `${root}/deep/copy`, { ...own, mode: '0400' }),
      concat(`${root}/whole`, 'b', '2', own),
      knownHosts.absent('git.test', { path: `${root}/known_hosts` }),
      knownHosts('git.test', [KEY], { path: `${root}/known_hosts` }),
    ],
  },
  'a tree that is kept equal': {
    steps: (root, own) => [
      file(`${root}/tree/other`, 'theirs', own),
      tree(`${root}/tree`, localDirectory(import.meta, '../integration/kinds/content'), { ...own, mode: '0640' }),
      tree(`${root}/tree`, localDirectory(import.meta, '../integration/kinds/content'), { ...own, exclusive: true }),
      file(`${root}/tree/deep/stranger`, 'x', own),
      tree(`${root}/tree`, localDirectory(import.meta, '../integration/kinds/content'), { ...own, exclusive: true }),
    ],
    root: true,
  },
}
