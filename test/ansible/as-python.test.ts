import { expect } from 'chai'
import { iniTree } from '../../src/ansible/ini.ts'
import { markTemplates, Unusable, type Vars } from '../../src/ansible/variables.ts'
import { plain, yamlFile } from '../../src/ansible/yaml.ts'
import { Problem } from '../../src/model/problem.ts'
import { HOST_LINES, VARS_LINES, YAML_TEXTS } from './lines.ts'
import { type Answer, askPython, noPython, type Piece } from './python.ts'

const ROUNDS = 4000
const why = noPython()

describe('an Ansible inventory is read as by Python', () => {
  before(function () {
    if (why === undefined) return
    console.log(`    left out: ${why}`)
    this.skip()
  })

  it(`over ${HOST_LINES.length + VARS_LINES.length} lines of public inventories`, () => {
    expect(HOST_LINES.length + VARS_LINES.length).to.be.greaterThan(60)
    const refused = compare([
      ...HOST_LINES.map((text) => ({ kind: 'host', text }) as const),
      ...VARS_LINES.map((text) => ({ kind: 'vars', text }) as const),
    ])
    expect(refused).to.deep.equal([])
  })

  it(`over ${YAML_TEXTS.length} documents of group_vars, except for unsupported values`, () => {
    const refused = compare(YAML_TEXTS.map((text) => ({ kind: 'yaml', text })))
    expect(refused).to.deep.equal([
      'str: !!str 1\nint: !!int "3"\nset: !!set {a, b}\n',
      'binary: !!binary aGk=\n',
      'a: 1\na: 2\n',
    ])
  })

  it(`over ${ROUNDS} random lines and documents`, () => {
    const chance = random(20240131)
    const pieces = Array.from({ length: ROUNDS }, () => randomPiece(chance))
    const refused = compare(pieces)
    // Most lines are accepted, so that there is something to compare.
    expect(refused.length).to.be.lessThan(ROUNDS / 10)
  })
})

/** Asserts that each piece has the same value as in Python or is rejected here. @returns the rejected ones */
function compare(pieces: readonly Piece[]): readonly string[] {
  const theirs = askPython(pieces)
  return pieces.flatMap(({ kind, text }, i) => {
    const ours = read({ kind, text })
    if (ours === undefined && theirs[i] !== undefined) return [text]
    expect(ours, `${kind}: ${text}`).to.deep.equal(theirs[i])
    return []
  })
}

function read({ kind, text }: Piece): Answer {
  try {
    if (kind === 'yaml') return { value: shown(markTemplates(plain(yamlFile(text, 'vars.yml').value))) }
    if (kind === 'vars') return { value: values(iniTree(`[g]\n[g:vars]\n${text}\n`, 'hosts').groups.get('g')?.vars) }
    const [[name, vars] = []] = iniTree(`${text}\n`, 'hosts').hosts
    return { value: { '': name, ...values(vars) } }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    expect(error.where, `the place of: ${error.message}`).to.match(/^(hosts|vars\.yml):\d+/)
    return undefined
  }
}

function values(vars: Vars | undefined): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...(vars ?? [])].map(([name, { value }]) => [name, shown(value)]))
}

function shown(value: unknown): unknown {
  for (const name of ['vault', 'template', 'number', 'date'] as const)
    if (value === Unusable[name]) return { closed: name }
  if (typeof value === 'number' && !Number.isFinite(value)) return { closed: 'infinite' }
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shown(one)]))
}

type Chance = () => number

function randomPiece(chance: Chance): Piece {
  const kind = one(chance, ['host', 'vars', 'yaml'] as const)
  if (kind === 'vars') return { kind, text: `name${one(chance, ['=', ' = ', '= '])}${randomText(chance, LITERALS)}` }
  if (kind === 'yaml') return { kind, text: randomYaml(chance) }
  const words = Array.from(
    { length: Math.floor(chance() * 4) },
    () => `v${Math.floor(chance() * 9)}=${randomText(chance, WORDS)}`,
  )
  return {
    kind,
    text: ['web1', ...words].join(one(chance, [' ', '  ', '\t'])) + one(chance, ['', '', ' # why', ' ']),
  }
}

function randomText(chance: Chance, parts: readonly string[]): string {
  return Array.from({ length: 1 + Math.floor(chance() ** 2 * 6) }, () => one(chance, parts)).join('')
}

const WORDS = [
  'a',
  'B c',
  '"x y"',
  "'x y'",
  '\\"',
  "\\'",
  '\\\\',
  '\\n',
  '#',
  ' # c',
  '""',
  "''",
  '1',
  '08',
  '[1,2]',
  '"[1, \'a\']"',
  '=',
  ',',
  ';',
  '"a\\"b"',
  "'a\\b'",
  '\\ ',
  'ä',
  '$x',
  '{}',
  '%h:%p',
  'True',
]
const LITERALS = [
  '1',
  '0',
  '10',
  '-',
  '+',
  '.',
  '5',
  'e',
  'x',
  '_',
  'True',
  'False',
  'None',
  "'a'",
  '"b"',
  "'it\\'s'",
  '"\\n\\x41\\u00e9\\q"',
  "r'\\n'",
  "b'x'",
  "u'y'",
  ',',
  ', ',
  ' ',
  '[',
  ']',
  '(',
  ')',
  '{',
  '}',
  ':',
  ' # c',
  '#',
  '[1, 2]',
  "{'a': 1}",
  '(1,)',
  '{1, 2}',
  '0x1F',
  '0o17',
  '1.5',
  '1_000',
  '1e3',
  '2j',
  '...',
  'abc',
  '/',
  '"""t"""',
  '{{ x }}',
  '\\',
  '=',
  "''",
  '~',
  'ä',
]
const SCALARS = [
  'yes',
  'No',
  'on',
  'OFF',
  'y',
  'true',
  'null',
  '~',
  '',
  '0644',
  '0o644',
  '08',
  '0x1f',
  '0b10',
  '1_000',
  '1:30',
  '1:30:00.5',
  '12:70',
  '1.',
  '.5',
  '-.5',
  '+1',
  '1e3',
  '1.0e+3',
  '1.0e3',
  '.inf',
  '-.INF',
  '.NaN',
  '2024-01-31',
  '2024-1-31',
  '2024-01-31 10:00:00',
  '2024-01-31T10:00:00Z',
  '=',
  '<<',
  '"yes"',
  "'0644'",
  'a b',
  'a:b',
  'a#b',
  'a # b',
  'http://x/a=1',
  '192.0.2.1',
  '1.10',
  'v1',
  '-1',
  '- 1',
  '"\\t\\x41"',
  "'it''s'",
  '{{ x }}',
  '"{{ x }}"',
  '*nope',
  '!unsafe "{{ x }}"',
  '!!str 5',
  '!!int "5"',
  '!!float 1',
  '@x',
  '%x',
  '|',
  '> ',
  '[1, no, "a"]',
  '{a: 1, b: off}',
  '0',
  '00',
  '-0',
  '0_',
  '1__0',
  '0.',
  '9007199254740993',
  'ä',
  '!vault x',
  '_1',
  '1_',
  '0x',
  '.',
  '-',
  '...',
]

function randomYaml(chance: Chance): string {
  const shape = chance()
  const scalar = () => one(chance, SCALARS)
  if (shape < 0.5) return `a: ${scalar()}\nb: ${scalar()}\n`
  if (shape < 0.65) return `list:\n  - ${scalar()}\n  - ${scalar()}\n`
  if (shape < 0.75) return `flow: [${scalar()}, ${scalar()}]\n`
  if (shape < 0.85) return `${scalar().replace('!unsafe', '!!str')}: ${scalar()}\n`
  return `base: &base\n  a: ${scalar()}\n  b: ${scalar()}\nsite:\n  <<: *base\n  b: ${scalar()}\n`
}

function one<T>(chance: Chance, from: readonly T[]): T {
  const found = from[Math.floor(chance() * from.length)]
  if (found === undefined) throw new RangeError('nothing to choose from')
  return found
}

function random(seed: number): Chance {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
