import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect } from 'chai'
import { ROOT, typescript } from './files.ts'

/** A folder imports only from floors below its own. Two folders on one floor do not know each other. */
const FLOORS: readonly (readonly string[])[] = [
  ['shell'],
  ['model'],
  ['resources', 'transport', 'secrets', 'pki', 'ansible', 'hooks'],
  ['engine'],
  ['report', 'doctor', 'api'],
  ['lab'],
  ['cli'],
  ['testing'],
]

/** Packages that only these files may import. */
const SINGLE_IMPORTERS: Readonly<Record<string, readonly string[]>> = {
  ssh2: ['src/transport/ssh2/'],
  listr2: ['src/report/terminal/live.ts'],
  ejs: ['src/resources/files/template.ts'],
  commander: ['src/cli', 'src/lab/commands/'],
  '@peculiar/x509': ['src/pki/issue.ts'],
  'acme-client': ['src/pki/order.ts'],
  '@modelcontextprotocol/sdk/server/index.js': ['src/cli/mcp/server.ts'],
}

interface Import {
  readonly from: string
  readonly to: string
}

const files = ['src', 'roles', 'stack', 'playbooks', 'inventory'].flatMap((folder) => typescript(folder))
const imports = files.flatMap(importsOf)

describe('the architecture', () => {
  it('has sources to look at', () => {
    expect(imports.length).to.be.greaterThan(100)
  })

  it('lets a folder import only from floors below its own', () => {
    const upward = imports.filter(({ from, to }) => {
      const [own, other] = [folderOf(from), folderOf(to)]
      return own && other && own !== other && floorOf(other) >= floorOf(own)
    })
    expect(upward.map(shown)).to.deep.equal([])
  })

  it('has no cycle of files, types included', () => {
    expect(cycles(imports)).to.deep.equal([])
  })

  it('lets roles, the stack, playbooks and inventories see what users see, and no more', () => {
    const inward = imports.filter(({ from, to }) => !from.startsWith('src/') && to.startsWith('src/'))
    expect(inward.map(shown)).to.deep.equal([])
  })

  for (const [library, places] of Object.entries(SINGLE_IMPORTERS)) {
    it(`imports ${library} in one place`, () => {
      const stray = imports.filter(({ from, to }) => to === library && !places.some((place) => from.startsWith(place)))
      expect(stray.map(shown)).to.deep.equal([])
    })
  }

  it('keeps files to one idea: none over 400 lines', () => {
    const long = files.map((file) => ({
      file,
      lines: readFileSync(join(ROOT, file), 'utf8').split('\n').length,
    }))
    expect(long.filter(({ lines }) => lines > 400)).to.deep.equal([])
  })
})

function importsOf(from: string): readonly Import[] {
  const text = readFileSync(join(ROOT, from), 'utf8')
  const found = text.matchAll(/^(?:import|export)\s+(?:type\s)?(?:[^'"]*?\sfrom\s+)?'([^']+)'|import\('([^']+)'\)/gm)
  return [...found].map(([, fixed, lazy]) => {
    const name = fixed ?? lazy ?? ''
    const to = name.startsWith('.') ? relative(ROOT, join(ROOT, dirname(from), name)) : name
    return { from, to }
  })
}

function folderOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1]
}

function floorOf(folder: string): number {
  const floor = FLOORS.findIndex((folders) => folders.includes(folder))
  if (floor === -1) throw new Error(`src/${folder} stands on no floor`)
  return floor
}

function shown({ from, to }: Import): string {
  return `${from} imports ${to}`
}

function cycles(edges: readonly Import[]): readonly string[] {
  const next = new Map<string, string[]>()
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to])
  const found: string[] = []
  const done = new Set<string>()
  const walk = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      found.push([...path.slice(path.indexOf(file)), file].join(' → '))
      return
    }
    if (done.has(file)) return
    for (const to of next.get(file) ?? []) walk(to, [...path, file])
    done.add(file)
  }
  for (const file of next.keys()) walk(file, [])
  return found
}
