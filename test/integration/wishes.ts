import { createHash } from 'node:crypto'
import type { Step } from '../../src/model/resource/step.ts'
import { absent } from '../../src/resources/files/absent.ts'
import { directory } from '../../src/resources/files/directory.ts'
import { file } from '../../src/resources/files/file.ts'
import { line } from '../../src/resources/files/line.ts'
import { link } from '../../src/resources/files/link.ts'
import type { AbsolutePath } from '../../src/resources/files/stat.ts'
import { transaction } from '../../src/resources/transaction/transaction.ts'
import { joinLines, sh } from '../../src/shell/sh.ts'
import { random } from '../support/dice.ts'

const NAMES: readonly string[] = [
  ' ',
  'two words',
  `it's`,
  '"quoted"',
  '$(touch x)',
  '`id`',
  '$HOME',
  'back\\slash\\n',
  'new\nline',
  'ends with one\n',
  '-rf',
  '--',
  '*',
  '?[a-z]',
  '{a,b}',
  '#',
  '%s%n',
  '~',
  'ünïcödé 雪🦆',
  'a:b,c=d',
  '\x01\x7f\t\r',
  '.hidden',
  'x'.repeat(255),
  `${'é'.repeat(127)}1`,
  `${'é'.repeat(127)}2`,
  `${'雪'.repeat(85)}`,
  'PROVISION_VALIDATE',
]

const OWNERS = ['root', 'deploy', 'operator'] as const

/** The state of the host and the declared state: random steps, and the state that they must lead to. */
export class World {
  before: Readonly<Record<string, string>> = {}
  after: Record<string, string> = {}
  readonly kinds = new Set<string>()
  readonly #chance: () => number

  constructor(seed: number) {
    this.#chance = random(seed)
  }

  /** Creates one step for each name, some of them in one transaction. */
  wishes(): readonly Step[] {
    this.before = { ...this.after }
    const places: readonly AbsolutePath[] = ['/srv/any', `/srv/any/it's a "dir"\n $(id)`, '/srv/any/-d: é,']
    const base = places.map((path) => {
      this.after[path] = 'directory 0755 root:root'
      return directory(path)
    })
    delete this.after['/srv/any']
    // Each name gets one step, so no path in a directory has two.
    const wishes = NAMES.map((name) => this.#wish(`${this.#one(...places)}/${name}`))
    const cut = wishes.filter(
      ({ replace, name }) => replace && !this.before[name]?.startsWith('directory') && this.#chance() < 0.4,
    )
    const alone = wishes.filter((one) => !cut.includes(one))
    if (cut.length === 0) return [...base, ...alone]
    this.kinds.add('transaction')
    // The validation sees the new files, and does not see the removed ones.
    const checker = joinLines(
      cut.map(({ replace, name }) =>
        replace?.make
          ? sh`[ -e ${name} ] || [ -L ${name} ] || { echo ${`${name} is missing`}; exit 1; }`
          : sh`[ ! -e ${name} ] && [ ! -L ${name} ] || { echo ${`${name} is there`}; exit 1; }`,
      ),
    )
    return [...base, ...alone, transaction('together', cut, { validate: checker })]
  }

  #wish(path: AbsolutePath): Step {
    const [there = 'nothing'] = (this.after[path] ?? '').split(' ')
    const owner = this.#one(...OWNERS)
    const group = this.#one(...OWNERS)
    const mode = this.#one('0644', '0600', '0640', '0755', '4750', '0444')
    const kind = this.#one(...(NEXT[there] ?? NEXT['nothing'] ?? []))
    this.kinds.add(kind)
    if (kind === 'directory') {
      this.after[path] = `directory ${mode} ${owner}:${group}`
      return directory(path, { owner, group, mode })
    }
    if (kind === 'link') {
      const target = this.#one(...NAMES.filter((name) => !path.endsWith(`/${name}`)))
      this.after[path] = `link ${target}`
      return link(path, { target })
    }
    if (kind === 'absent') {
      delete this.after[path]
      return absent(path)
    }
    if (kind === 'line') {
      const text = `line ${this.#one(...NAMES).replace(/\n/g, ' ')}`
      this.after[path] = `file 0644 root:root ${sha(`${text}\n`)}`
      return line(path, text)
    }
    const content = this.#content()
    this.after[path] = `file ${mode} ${owner}:${group} ${sha(content)}`
    return file(path, content, { owner, group, mode })
  }

  #content(): string | Uint8Array {
    const length = this.#one(0, 1, 100, 5_000)
    const bytes = Uint8Array.from({ length }, () => Math.floor(this.#chance() * 256))
    return this.#one<string | Uint8Array>(
      bytes,
      `${this.#one(...NAMES)}\n`.repeat(length),
      Buffer.from(bytes).toString('latin1'),
      'same',
    )
  }

  #one<T>(...all: readonly [T, ...T[]]): T
  #one<T>(...all: readonly T[]): T
  #one<T>(...all: readonly T[]): T | undefined {
    return all[Math.floor(this.#chance() * all.length)]
  }
}

/** The kinds that can follow an existing kind. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  nothing: ['file', 'file', 'directory', 'link', 'line', 'absent'],
  file: ['file', 'file', 'link', 'absent'],
  link: ['file', 'link', 'absent'],
  directory: ['directory', 'absent'],
}

export function sha(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
