import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { thingsOf } from '../../src/model/resource/step.ts'
import { ROOT, typescript } from '../architecture/files.ts'
import { temporary } from '../support/rig.ts'
import { FAKE_ROWS, ON_LAB_HOSTS } from '../testing/fake-rows.ts'
import { ROWS } from './rows.ts'

/** Kinds without `simulate`, and the reason. */
const NOT_SIMULATED: Readonly<Record<string, string>> = {
  packages: 'a fake host has no versions of packages',
  reboot: 'a fake host does not boot',
  'other firewalls': 'changes nothing',
  'ssh access': 'changes nothing',
  calendar: 'changes nothing',
}

/** Kinds whose name is a path that they do not set, and the reason. */
const WITHOUT_THINGS: Readonly<Record<string, string>> = {
  'package file': 'it installs the package in the file',
  'old releases': 'it removes directories whose names only the host knows',
  'rolled-back release': 'it marks a release that another step has made',
}

/** Files whose kinds are parts of another one, which exports them. */
const PARTS: Readonly<Record<string, string>> = {
  'src/resources/packages/absent.ts': 'pkg()',
  'src/resources/packages/deb.ts': 'pkg()',
  'src/resources/packages/rpm-package.ts': 'pkg()',
}

/** Tests of resources that read nothing. */
const WITHOUT_READS: ReadonlySet<string> = new Set([
  'test/resources/arguments.test.ts',
  'test/resources/built-in-kinds.test.ts',
  'test/resources/kinds.test.ts',
])

interface BuiltIn {
  readonly kind: string
  readonly file: string
}

const KINDS: readonly BuiltIn[] = [
  ...typescript('src/resources').flatMap((file) =>
    [...new Set([...read(file).matchAll(/\bresource(?:<[^(]*>)?\(\s*'([^']+)'/g)].map(([, kind]) => kind ?? ''))].map(
      (kind) => ({ kind, file }),
    ),
  ),
  // Made of a file.
  { kind: 'concat', file: 'src/resources/files/concat.ts' },
  { kind: 'caCertificate', file: 'src/resources/system/ca-certificate.ts' },
  { kind: 'unit', file: 'src/resources/systemd/unit.ts' },
  { kind: 'cron', file: 'src/resources/system/cron.ts' },
]

describe('each built-in kind', () => {
  const steps = new Map(Object.values(ROWS).map(({ step }) => [step.kind, step]))
  const directory = temporary()
  after(() => rmSync(directory, { recursive: true }))
  const compared = new Set(
    Object.values(FAKE_ROWS).flatMap((row) =>
      row.steps(`${directory}/root`, { owner: 'root' }).map(({ kind }) => kind),
    ),
  )
  const readTests = ['test/resources', 'test/roles', 'test/integration']
    .flatMap((folder) => typescript(folder))
    .filter((path) => path.endsWith('.test.ts') && !WITHOUT_READS.has(path))
    .map(read)
  const index = read('src/index.ts')

  it('is found in the sources', () => {
    expect(KINDS.length).to.be.greaterThan(20)
  })

  for (const { kind, file } of KINDS) {
    it(`${kind}: has a row in the tests of kinds`, () => {
      expect(
        steps.has(kind),
        `add rows for the kind "${kind}" to a table of rows in test/resources, such as system-rows.ts`,
      ).to.equal(true)
    })

    it(`${kind}: simulates its change on a fake host`, () => {
      const simulates = steps.get(kind)?.simulate !== undefined
      expect(
        simulates || kind in NOT_SIMULATED,
        `add simulate to the kind "${kind}" in ${file}, or the reason to NOT_SIMULATED in this test`,
      ).to.equal(true)
    })

    it(`${kind}: is compared with a real host`, () => {
      expect(
        compared.has(kind) || ON_LAB_HOSTS.has(kind) || kind in NOT_SIMULATED,
        `add a step of the kind "${kind}" to test/testing/fake-rows.ts; if only a whole host can apply it, add it to ON_LAB_HOSTS and to test/integration/testing.test.ts`,
      ).to.equal(true)
    })

    it(`${kind}: is found by the path or the packages in its name`, () => {
      const step = steps.get(kind)
      const wanted = kind.includes('package') ? 'package' : 'path'
      const isNamedByThing = (kind.endsWith('package') || step?.name.startsWith('/')) && !(kind in WITHOUT_THINGS)
      expect(
        !step || !isNamedByThing || thingsOf(step).some(({ type }) => type === wanted),
        `add sets to the kind "${kind}" in ${file}, or the reason to WITHOUT_THINGS in this test`,
      ).to.equal(true)
    })

    it(`${kind}: is exported to users`, () => {
      expect(
        index.includes(`'./${file.replace('src/', '')}'`) || file in PARTS,
        `export the function of the kind "${kind}" from ${file} in src/index.ts`,
      ).to.equal(true)
    })

    it(`${kind}: has a test of its read`, () => {
      const name = file.replace('src/', '')
      expect(
        readTests.some((text) => text.includes(`/${name}'`) || uses(text, file)),
        `add a test of the read of ${file} to test/resources/reads.test.ts`,
      ).to.equal(true)
    })
  }
})

/** True if a test imports an exported function of the file from the package. */
function uses(text: string, file: string): boolean {
  const exported = [...read(file).matchAll(/^export (?:function|const) (\w+)/gm)].map(([, name]) => name)
  const imported = /import \{([^}]*)\} from 'provision-ts'/.exec(text)?.[1]?.split(/[\s,]+/) ?? []
  return exported.some((name) => name !== undefined && imported.includes(name))
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}
