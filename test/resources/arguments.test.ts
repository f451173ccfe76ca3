import { expect } from 'chai'
import {
  absent,
  command,
  directory,
  dropIn,
  existingRelease,
  file,
  line,
  link,
  markReleaseCurrent,
  markReleaseRolledBack,
  pruneReleases,
  release,
  type Step,
  sh,
  sysctl,
  transaction,
  unit,
  user,
} from 'provision-ts'
import { thrownAt } from '../../src/model/source.ts'

type Path = `/${string}`

const MAY_BE_ROOT: ReadonlySet<string> = new Set(['directory', 'creates', 'home'])

describe('an invalid path', () => {
  const kinds: Readonly<Record<string, (path: Path) => Step>> = {
    file: (path) => file(path, 'x'),
    directory: (path) => directory(path),
    link: (path) => link(path, { target: '/elsewhere' }),
    line: (path) => line(path, 'x'),
    absent: (path) => absent(path),
    release: (path) => release(path, existingRelease('4f2a90c1b7de')),
    creates: (path) => command('x', sh`:`, { creates: path }),
    home: (path) => user('app', { home: path }),
    shell: (path) => user('app', { shell: path }),
    pruneReleases: (path) => pruneReleases(path, { wanted: '4f2a90c1b7de' }),
    markReleaseCurrent: (path) => markReleaseCurrent(path, '4f2a90c1b7de'),
    markReleaseRolledBack: (path) => markReleaseRolledBack(path, '4f2a90c1b7de'),
    transaction: (path) => transaction('x', [file(path, 'x')]),
  }
  const paths: readonly (readonly [path: string, why: string])[] = [
    ['etc/x', 'the path "etc/x" is not absolute: begin it with /'],
    ['', 'the path "" is not absolute: begin it with /'],
    ['/', 'the path "/" is the root directory'],
    ['/etc/', 'the path "/etc/" ends with a slash: remove it'],
    ['/etc//x', 'the path "/etc//x" has an empty name: write one slash'],
    ['/etc/./x', 'the path "/etc/./x" has the part .: write the path without it'],
    ['/etc/..', 'the path "/etc/.." has the part ..: write the path without it'],
    ['/etc/\0', 'the path "/etc/\\u0000" has a NUL byte'],
    [`/я/${'я'.repeat(128)}/x`, 'has a name of more than 255 bytes'],
    ['/abc'.repeat(1024), 'has more than 4095 bytes'],
  ]
  for (const [kind, make] of Object.entries(kinds))
    it(`is rejected at the line of the caller: ${kind}`, () => {
      for (const [path, why] of paths) {
        if (path === '/' && MAY_BE_ROOT.has(kind)) continue
        const given = path as Path // Types do not stop all of them.
        const error = thrownBy(() => make(given))
        expect(error, path).to.be.instanceOf(TypeError)
        expect(String(error)).to.include(why)
        expect(thrownAt(error)?.file).to.match(/arguments\.test\.ts$/)
      }
    })

  it('has a name of 256 bytes, not of 255; a release needs some bytes itself', () => {
    const name = 'x'.repeat(255)
    expect(file(`/etc/${name}`, '').name).to.have.length(260)
    expect(() => file(`/etc/${name}x`, '')).to.throw(TypeError, 'has a name of more than 255 bytes')
    expect(() => release(`/srv/${name}`, existingRelease('4f2a90c1b7de'))).to.throw(
      TypeError,
      'has a name of more than 246 bytes',
    )
  })

  it('is not one with spaces, quotes, a newline, a dash or three dots', () => {
    for (const path of ['/a b', "/a'b", '/a\nb', '/-a', '/...', '/.a', '/a..b'] as const)
      expect(file(path, '').name).to.equal(path)
  })
})

describe('an invalid name', () => {
  const names = ['', 'a/b.conf', '../x.service', 'a\0.service', `${'x'.repeat(250)}.service`]
  for (const [kind, make] of Object.entries({
    unit: (name: string) => unit(name as 'x.service', ''),
    'unit of a dropIn': (name: string) => dropIn(name as 'x.service', 'limits', ''),
    'name of a dropIn': (name: string) => dropIn('x.service', name, ''),
    sysctl: (name: string) => sysctl(name, { 'vm.swappiness': 1 }),
  }))
    it(`is rejected: ${kind}`, () => {
      for (const name of names) expect(() => make(name), JSON.stringify(name)).to.throw(TypeError)
    })

  it('is in the message', () => {
    expect(() => dropIn('x.service', 'a/b', '')).to.throw(
      'dropIn for x.service: the name "a/b" has a slash or a NUL byte',
    )
    expect(() => unit('' as 'x.service', '')).to.throw('unit: the name "" is empty')
    expect(() => unit('..' as 'x.service', '')).to.throw('unit: the name ".." cannot be the name of a file')
  })

  it('is rejected as the target of a link', () => {
    for (const target of ['', 'a\0', `../${'x'.repeat(256)}`])
      expect(() => link('/a', { target })).to.throw(TypeError, 'link /a: invalid target')
    expect(link('/a', { target: '../b/./c/' }).name).to.equal('/a')
  })
})

describe('a mode', () => {
  for (const mode of ['9999', 'u=rw', '+x', '', '7', '07', '00644', '0o644', '644 '])
    it(`must have three or four octal digits: ${JSON.stringify(mode)}`, () => {
      const words = `the mode "${mode}" is not three or four octal digits, such as 0644`
      expect(() => file('/a', '', { mode })).to.throw(TypeError, `file /a: ${words}`)
      expect(() => directory('/a', { mode })).to.throw(TypeError, `directory /a: ${words}`)
    })

  it('may have three digits', () => {
    const { diff } = file('/a', '', { mode: '640' })
    expect(diff(undefined)?.fields).to.deep.include({ name: 'mode', to: '0640' })
  })
})

describe('two steps of a transaction with the same path', () => {
  it('are rejected', () => {
    expect(() => transaction('x', [file('/a', 'x'), absent('/b'), link('/a', { target: 'b' })])).to.throw(
      TypeError,
      'transaction "x": two steps have the path /a',
    )
  })
})

function thrownBy(body: () => unknown): unknown {
  try {
    body()
  } catch (error) {
    return error
  }
  return undefined
}
