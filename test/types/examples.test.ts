import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { expect } from 'chai'
import type { Entries } from '../../src/model/inventory/schema.ts'
import { siteSchema } from '../../stack/schema.ts'
import { site as initSite } from '../../templates/project/playbooks/schema.ts'
import { type Property, propertiesAt, without } from './object-text.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** Each inventory that is shipped, with its schema. */
const EXAMPLES = [
  ...inventoriesIn('inventory').map((path) => ({ path, stack: siteSchema })),
  ...inventoriesIn('templates/project/inventory').map((path) => ({ path, stack: initSite })),
]

interface Variant {
  readonly title: string
  readonly source: string
  /** The compiler's message; undefined if it accepts the file. */
  readonly says: RegExp | undefined
}

const VARIANTS = EXAMPLES.flatMap(({ path, stack }) =>
  variantsOf(readFileSync(join(ROOT, path), 'utf8'), stack).map((variant) => ({ path, ...variant })),
)

describe('the compiler, of each shipped inventory', () => {
  let said: ReadonlyMap<number, string>

  before(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'provision-variants-'))
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
    const outputs = Object.entries(PROJECTS).map(async ([folder, config]) => {
      mkdirSync(join(directory, folder))
      writeFileSync(join(directory, folder, 'tsconfig.json'), JSON.stringify(config))
      for (const [i, { path, source }] of VARIANTS.entries())
        if (path.startsWith(`${folder}/`))
          writeFileSync(join(directory, folder, `variant-${i}.ts`), movedFrom(path, source))
      return compiled(join(directory, folder))
    })
    said = wordsOf((await Promise.all(outputs)).join('\n'))
    rmSync(directory, { recursive: true })
  })

  for (const [i, { path, title, says }] of VARIANTS.entries())
    it(`${says ? 'refuses' : 'accepts'} ${path} ${title}`, () => {
      if (says) expect(said.get(i) ?? 'no error').to.match(says)
      else expect(said.get(i)).to.equal(undefined)
    })

  it('knows all inventories that are shipped', () => {
    expect(EXAMPLES.map(({ path }) => path)).to.include.members([
      'inventory/lab.ts',
      'inventory/prod.ts',
      'inventory/vagrant.ts',
      'templates/project/inventory/lab.ts',
      'templates/project/inventory/local.ts',
    ])
  })
})

function inventoriesIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder))
    .map((name) => `${folder}/${name}`)
    .filter((path) => /\binventory\((siteSchema|site), \{/.test(readFileSync(join(ROOT, path), 'utf8')))
}

function variantsOf(source: string, { entries }: { readonly entries: Entries }): readonly Variant[] {
  const [call = ''] = /\binventory\(\w+, (?=\{)/.exec(source) ?? []
  const open = source.indexOf(call) + call.length
  const values = propertiesAt(source, open)
  const given = new Map(values.map((value) => [value.name, value]))
  const top = Object.entries(entries).flatMap(([name, entry]): readonly Variant[] => {
    const value = given.get(name)
    if (!value) return []
    const required = !('optional' in entry && entry.optional)
    return [
      ...(required ? [{ title: `without ${name}`, source: without(source, value), says: asks(name) }] : []),
      ...misused(source, value, name),
      ...('type' in entry
        ? value.value === undefined
          ? []
          : ofGroup({ source, open, name, vars: entry.vars }, value.value)
        : partsOf(source, { value, path: name, field: entry })),
    ]
  })
  return [{ title: 'as it is', source, says: undefined }, ...top]
}

interface RecordValue {
  readonly value: Property
  readonly path: string
  readonly field: Exclude<Entries[string], { readonly type: 'hosts' }>
}

/** Without each of the parts of a value that is a record. */
function partsOf(source: string, { value, path, field }: RecordValue): readonly Variant[] {
  const missing = field.faults?.({}, path) ?? []
  return valuesWithin(source, value).map((part) => ({
    title: `without ${path}.${part.name}`,
    source: without(source, part),
    says: missing.some((fault) => fault.startsWith(`${path}.${part.name}: is missing`))
      ? RegExp(`Property '${part.name}' is missing`)
      : undefined,
  }))
}

interface InGroup {
  readonly source: string
  /** The position of the first value of the inventory; helpers come before it. */
  readonly open: number
  readonly name: string
  readonly vars: Readonly<Record<string, { readonly optional?: boolean }>>
}

function ofGroup({ source, open, name, vars }: InGroup, at: number): readonly Variant[] {
  const shared = propertiesAt(source, at)
  const hosts = shared.find((one) => one.name === 'hosts')
  const literal = hosts?.value !== undefined && source[hosts.value] === '{' ? propertiesAt(source, hosts.value) : []
  const own = literal.map((host) => ({
    host: host.name,
    values: host.value === undefined ? [] : valuesWithin(source, host),
  }))
  const all = [...shared, ...own.flatMap(({ values }) => values)]
  const missing = Object.entries(vars).flatMap(([v, { optional }]): readonly Variant[] => {
    if (optional) return []
    const inPlace = all.filter((one) => one.name === v)
    const places = inPlace.length > 0 ? inPlace : helpersWith(source, open, v)
    const forAll = shared.some((one) => one.name === v)
    const says = RegExp(`${name} needs ${v}: give it here or for the whole group`)
    return [
      { title: `without ${name}.${v}`, source: withoutAll(source, places), says },
      ...own.flatMap(({ host, values }) =>
        values
          .filter((one) => one.name === v)
          .map((one) => ({
            title: `without ${name}.hosts.${host}.${v}${forAll ? ', which the group gives' : ''}`,
            source: without(source, one),
            says: forAll ? undefined : says,
          })),
      ),
    ]
  })
  return [
    ...missing,
    ...shared.filter((one) => one.name !== '').flatMap((one) => misused(source, one, `${name}.${one.name}`)),
    ...own.flatMap(({ host, values }) =>
      values
        .filter((one) => one.name !== '')
        .flatMap((one) => misused(source, one, `${name}.hosts.${host}.${one.name}`)),
    ),
  ]
}

/** With its name misspelt, and with a value of a type that nothing in an inventory has. */
function misused(source: string, { from, to, value, name }: Property, path: string): readonly Variant[] {
  if (value === undefined) return []
  const wrong = source.slice(0, value) + 'new Map()' + source.slice(to)
  const misspelt = `${source.slice(0, from)}${name}X${source.slice(from + name.length)}`
  return [
    { title: `with ${path} misspelt`, source: misspelt, says: /error TS2/ },
    { title: `with a wrong type for ${path}`, source: wrong, says: /error TS2/ },
  ]
}

/** The properties of a value that is an object literal. */
function valuesWithin(source: string, { value, to }: Property): readonly Property[] {
  return value !== undefined && source[value] === '{' && to > value ? propertiesAt(source, value) : []
}

/** The position at which a helper sets a variable of hosts. */
function helpersWith(source: string, open: number, name: string): readonly Pick<Property, 'from' | 'to'>[] {
  const literals = [...source.slice(0, open).matchAll(/return (\{)/g)]
  return literals.flatMap(({ index }) =>
    propertiesAt(source, index + 'return '.length).filter((one) => one.name === name),
  )
}

function withoutAll(source: string, places: readonly Pick<Property, 'from' | 'to'>[]): string {
  return [...places].sort((a, b) => b.from - a.from).reduce(without, source)
}

function asks(name: string): RegExp {
  return RegExp(`the inventory needs ${name}`)
}

/** Imports of its neighbours become paths from the root. */
function movedFrom(path: string, source: string): string {
  return source.replace(/from '(\.[^']*)'/g, (_, to: string) => `from '${resolve(ROOT, dirname(path), to)}'`)
}

const SHARED = {
  paths: {
    'provision-ts': [join(ROOT, 'src/index.ts')],
    'provision-ts/pki': [join(ROOT, 'src/pki/index.ts')],
    'provision-ts/stack': [join(ROOT, 'stack/index.ts')],
    'provision-ts/lab': [join(ROOT, 'src/lab/index.ts')],
  },
  customConditions: ['source'],
  typeRoots: [join(ROOT, 'node_modules/@types')],
  types: ['node'],
  // A helper that a variant no longer uses is no error.
  noUnusedLocals: false,
}

/** The settings of this repository and of a new project: the second are less strict. */
const PROJECTS = {
  inventory: { extends: join(ROOT, 'tsconfig.json'), compilerOptions: SHARED, include: ['*.ts'] },
  templates: {
    extends: join(ROOT, 'templates/project/_tsconfig.json'),
    compilerOptions: SHARED,
    include: ['*.ts'],
  },
}

function compiled(directory: string): Promise<string> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const options = { maxBuffer: 64 * 1024 * 1024, cwd: directory }
  return new Promise((done) => {
    execFile(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], options, (_error, stdout) => done(stdout))
  })
}

/** The messages for each variant, with the chain below each error. */
function wordsOf(output: string): ReadonlyMap<number, string> {
  const words = new Map<number, string>()
  let at = -1
  for (const line of output.split('\n')) {
    const [, variant] = /^variant-(\d+)\.ts\(/.exec(line) ?? []
    if (variant) at = Number(variant)
    else if (!line.startsWith(' ')) at = -1
    if (at >= 0) words.set(at, `${words.get(at) ?? ''}${line}\n`)
  }
  return words
}
