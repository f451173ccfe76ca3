import { expect } from 'chai'
import { Problem } from '../../../src/model/problem.ts'
import { setting } from '../../../src/resources/files/setting.ts'
import { Secret } from '../../../src/shell/secret.ts'
import { edited, planned } from './edited.ts'

const [INI, JSON_FILE, YAML, TOML] = ['/a.ini', '/a.json', '/a.yaml', '/a.toml'] as const

describe('setting in an ini file', () => {
  const text = `; top
global = 1

[mysqld]
# the port
port=3306
;max_connections = 100
bind = 127.0.0.1 ; local

[client]
port = 3306
`
  it('changes the line in its section alone, with its separator', () => {
    expect(edited(text, setting(INI, ['mysqld', 'port'], 3307))).to.equal(text.replace('port=3306', 'port=3307'))
    expect(edited(text, setting(INI, ['client', 'port'], 3307))).to.equal(text.replace('port = 3306', 'port = 3307'))
    expect(edited(text, setting(INI, 'global', true))).to.equal(text.replace('global = 1', 'global = true'))
    expect(planned(text, setting(INI, ['mysqld', 'port'], 3307))).to.deep.equal(['mysqld.port: 3306 → 3307'])
  })

  it('adds it after the comment that shows it, to its section, or with a new section', () => {
    expect(edited(text, setting(INI, ['mysqld', 'max_connections'], 200))).to.equal(
      text.replace(';max_connections = 100\n', ';max_connections = 100\nmax_connections=200\n'),
    )
    expect(edited(text, setting(INI, ['mysqld', 'new'], 'x', { separator: ' = ' }))).to.equal(
      text.replace('; local\n', '; local\nnew = x\n'),
    )
    expect(edited(text, setting(INI, ['other', 'new'], 'x'))).to.equal(`${text}\n[other]\nnew = x\n`)
    expect(edited(text, setting(INI, 'new', 'x'))).to.equal(text.replace('global = 1\n', 'global = 1\nnew = x\n'))
    expect(edited('[a]\nb = 1\n', setting(INI, 'new', 'x'))).to.equal('new = x\n[a]\nb = 1\n')
    expect(edited('', setting(INI, ['a', 'b'], 'x'))).to.equal('[a]\nb = x\n')
    expect(edited(undefined, setting(INI, 'b', 'x'))).to.equal('b = x\n')
    expect(edited('# only\n', setting(INI, 'b', 'x'))).to.equal('# only\nb = x\n')
  })

  it('keeps a comment behind the value, on a line of its own', () => {
    expect(edited(text, setting(INI, ['mysqld', 'bind'], '::'))).to.equal(
      text.replace('bind = 127.0.0.1 ; local', '; local\nbind = ::'),
    )
    expect(edited('a = "x ; y"\n', setting(INI, 'a', 'z'))).to.equal('a = z\n')
  })

  it('changes the first of several and removes the others', () => {
    expect(edited('[a]\nx = 1\ny = 2\nx = 3\n', setting(INI, ['a', 'x'], 3))).to.equal('[a]\nx = 3\ny = 2\n')
    expect(edited('[a]\nx = 1\n[b]\n[a]\nx = 2\n', setting(INI, ['a', 'x'], 1))).to.equal('[a]\nx = 1\n[b]\n[a]\n')
  })

  it('replaces values of several lines, and keeps indented settings and CRLF', () => {
    expect(edited('[a]\nx = 1\n  2\n  3\ny = 4\n', setting(INI, ['a', 'x'], 1))).to.equal('[a]\nx = 1\ny = 4\n')
    expect(edited('[a]\nx = 1 \\\n2\ny = 4\n', setting(INI, ['a', 'x'], 1))).to.equal('[a]\nx = 1\ny = 4\n')
    expect(edited('[user]\n\tname = a\n\tmail = b\n', setting(INI, ['user', 'name'], 'c'))).to.equal(
      '[user]\n\tname = c\n\tmail = b\n',
    )
    expect(edited('[user]\n\tname = a\n', setting(INI, ['user', 'mail'], 'c'))).to.equal(
      '[user]\n\tname = a\n\tmail = c\n',
    )
    expect(edited('a=1\r\nb=2\r\n', setting(INI, 'a', 2))).to.equal('a=2\r\nb=2\r\n')
  })

  it('is removed with all its lines', () => {
    expect(edited(text, setting.absent(INI, ['mysqld', 'port']))).to.equal(text.replace('port=3306\n', ''))
    expect(edited('[a]\nx = 1\n  2\nx = 3\n', setting.absent(INI, ['a', 'x']))).to.equal('[a]\n')
    expect(edited('a', setting.absent(INI, 'b'))).to.equal('a')
  })
})

describe('setting in a JSON file', () => {
  const text = `// of an administrator
{
    "log-driver": "json-file", // default
    /* sizes */
    "log-opts": { "max-size": "10m" },
    "hosts": ["a", "b"]
}
`
  it('keeps comments, order and indentation', () => {
    expect(edited(text, setting(JSON_FILE, ['log-opts', 'max-size'], '20m'))).to.equal(text.replace('10m', '20m'))
    expect(edited(text, setting(JSON_FILE, 'live', true))).to.equal(
      text.replace('["a", "b"]', '["a", "b"],\n    "live": true'),
    )
    expect(edited(text, setting(JSON_FILE, ['hosts', 1], 'c'))).to.equal(text.replace('"b"', '"c"'))
    expect(edited(text, setting.absent(JSON_FILE, 'log-driver')))
      .to.include('/* sizes */')
      .and.not.to.include('log-driver')
    expect(edited('{\n  "a": { "b": [1] }, // one\n  // two\n}', setting(JSON_FILE, ['n', 'm'], [1]))).to.equal(
      '{\n  "a": { "b": [1] }, // one\n  // two\n  "n": {\n    "m": [\n      1\n    ]\n  }\n}',
    )
    expect(edited('{\n  "a": 1 // one\n}\n', setting(JSON_FILE, 'b', 2))).to.equal('{\n  "a": 1, // one\n  "b": 2\n}\n')
    expect(edited('{\n  "a": 1, // one\n  // two\n  "b": 2 // gone\n}\n', setting.absent(JSON_FILE, 'b'))).to.equal(
      '{\n  "a": 1 // one\n  // two\n}\n',
    )
    expect(edited('{"a":1,"b":2}', setting.absent(JSON_FILE, 'b'))).to.match(/^\{\s*"a":\s*1\s*\}$/)
    expect(edited('{"a":1}', setting(JSON_FILE, 'a', 1))).to.equal('{"a":1}')
    expect(edited(text, setting(JSON_FILE, 'log-opts', { 'max-size': '10m' }))).to.equal(text)
    expect(edited(undefined, setting(JSON_FILE, ['a', 'b'], [1, null]))).to.equal(
      '{\n  "a": {\n    "b": [\n      1,\n      null\n    ]\n  }\n}\n',
    )
    expect(edited('', setting.absent(JSON_FILE, 'a'))).to.equal('')
    expect(planned(text, setting(JSON_FILE, ['log-opts', 'max-size'], '20m'))).to.deep.equal([
      'log-opts.max-size: 10m → 20m',
    ])
  })

  it('is a Problem where its place is not clear', () => {
    expect(() => edited('{"a": 1,\n"a": 2}', setting(JSON_FILE, 'a', 3))).to.throw(Problem, '/a.json has a twice')
    expect(() => edited('{"a": 1}', setting(JSON_FILE, ['a', 'b'], 3))).to.throw(Problem, '/a.json: a is not an object')
    expect(() => edited('{"a": [1]}', setting(JSON_FILE, ['a', 2], 3))).to.throw(
      Problem,
      'a is not a list of 2 or more values',
    )
    expect(() => edited('[1]', setting(JSON_FILE, 'a', 3))).to.throw(Problem, 'the whole is not an object')
    expect(() => edited('{\n"a": }', setting(JSON_FILE, 'a', 3))).to.throw(
      Problem,
      '/a.json is not valid JSON: ValueExpected in line 2',
    )
  })
})

describe('setting in a YAML file', () => {
  const text = `# top
server:
  port: 80   # of the balancer
  names: [a, b]

  # about limits
  limits:
    - 1
'quoted': "x"
`
  it('replaces a value where it is, so that all other bytes stay', () => {
    expect(edited(text, setting(YAML, ['server', 'port'], 8080))).to.equal(text.replace('80 ', '8080 '))
    expect(edited(text, setting(YAML, 'quoted', 'it: "is"'))).to.equal(text.replace('"x"', `'it: "is"'`))
    expect(edited(text, setting(YAML, ['server', 'limits', 0], 2))).to.equal(text.replace('- 1', '- 2'))
    expect(planned(text, setting(YAML, ['server', 'port'], 8080))).to.deep.equal(['server.port: 80 → 8080'])
  })

  it('adds and removes values, with comments and order', () => {
    expect(edited(text, setting(YAML, ['server', 'tls', 'on'], true))).to.equal(
      text
        .replace('    - 1\n', '    - 1\n  tls:\n    on: true\n')
        .replace('[a, b]', '[ a, b ]')
        .replace('80   #', '80 #'),
    )
    expect(edited(text, setting.absent(YAML, ['server', 'limits'])))
      .to.include('port: 80 # of the balancer')
      .and.not.to.include('limits:')
    expect(edited(undefined, setting(YAML, ['a', 'b'], 1))).to.equal('a:\n  b: 1\n')
    expect(edited('a:\n', setting(YAML, ['a', 'b'], 1))).to.equal('a:\n  b: 1\n')
    expect(edited(text, setting.absent(YAML, ['server', 'none']))).to.equal(text)
  })

  it('quotes texts that YAML 1.1 or 1.2 would read as something else', () => {
    for (const value of ['yes', 'on', '1.10', '0o14', '1:30', '~', 'null', ''])
      expect(edited('a: x\n', setting(YAML, 'a', value)), value).to.equal(`a: ${JSON.stringify(value)}\n`)
    expect(edited('a: yes\n', setting(YAML, 'a', 'yes'))).to.equal('a: "yes"\n')
    expect(edited('a: yes\n', setting(YAML, 'a', true))).to.equal('a: true\n')
    expect(edited('b: 1\n', setting(YAML, 'a', ['no', 'plain']))).to.equal('b: 1\na:\n  - "no"\n  - plain\n')
  })

  it('is a Problem where its place is not clear', () => {
    expect(() => edited('a: 1\n', setting(YAML, ['a', 'b'], 1))).to.throw(Problem, '/a.yaml: a is not a mapping')
    expect(() => edited('a: &x 1\nb: *x\n', setting(YAML, 'a', 2))).to.throw(
      Problem,
      'a is shared with other places by the anchor x',
    )
    expect(() => edited('a: &x {c: 1}\nb: *x\n', setting(YAML, ['b', 'c'], 2))).to.throw(
      Problem,
      'b is shared with other places',
    )
    expect(() => edited('a: 1\n---\nb: 1\n', setting(YAML, 'a', 2))).to.throw(Problem, 'has several YAML documents')
    expect(() => edited('a: [\n', setting(YAML, 'a', 2))).to.throw(Problem, '/a.yaml is not valid YAML')
    expect(edited('a: &x 1\nb: *x\n', setting(YAML, 'b', 2))).to.equal('a: &x 1\nb: 2\n')
  })
})

describe('setting in a TOML file', () => {
  const text = `# top
title = "x"   # inline

[server]
port = 80 # of the balancer
# about the host
host = 'a'

[[items]]
name = "one"

[server.tls]
list = [
  1, # one
  2,
]
`
  it('keeps comments, order and layout', () => {
    expect(edited(text, setting(TOML, ['server', 'port'], 8080))).to.equal(text.replace('80 #', '8080 #'))
    expect(edited(text, setting(TOML, ['server', 'new'], 'q"x'))).to.equal(
      text.replace("host = 'a'\n", `host = 'a'\nnew = "q\\"x"\n`),
    )
    expect(edited(text, setting(TOML, 'top', true))).to.equal(text.replace('# inline\n', '# inline\ntop = true\n'))
    expect(edited(text, setting(TOML, ['items', 0, 'name'], 'two'))).to.equal(text.replace('"one"', '"two"'))
    expect(edited(text, setting.absent(TOML, ['server', 'tls', 'list']))).to.equal(
      text.slice(0, text.indexOf('list =')),
    )
    expect(edited(text, setting(TOML, ['fresh', 'deep', 'a'], 1))).to.match(/^# top[\s\S]*\[fresh\.deep\]\na = 1\n$/)
    expect(edited(undefined, setting(TOML, ['a', 'b'], [1, 2]))).to.match(/^\[a\]\nb = \[ ?1, 2 ?\]\n$/)
    expect(planned(text, setting(TOML, ['server', 'port'], 8080))).to.deep.equal(['server.port: 80 → 8080'])
  })

  it('is a Problem where its place is not clear', () => {
    expect(() => edited('a = 1\n', setting(TOML, ['a', 'b'], 1))).to.throw(Problem, '/a.toml: a is not a table')
    expect(() => edited('a = \n', setting(TOML, 'a', 1))).to.throw(
      Problem,
      '/a.toml is not valid TOML: Invalid TOML document',
    )
  })
})

describe('setting', () => {
  it('takes only keys and values that the format has', () => {
    expect(() => setting('/etc/app.conf', 'a', 1)).to.throw(TypeError, 'the suffix does not show the format')
    expect(edited('', setting('/etc/app.conf', 'a', 1, { format: 'ini', separator: '=' }))).to.equal('a=1\n')
    expect(() => setting(INI, ['a', 'b', 'c'], 1)).to.throw(TypeError, 'is not a key: give a name, or [section, name]')
    expect(() => setting(JSON_FILE, ['a', -1], 1)).to.throw(TypeError, 'is not a key: give a name or a list of names')
    expect(() => setting(INI, 'a', [1])).to.throw(TypeError, 'an ini file takes texts of one line')
    expect(() => setting(INI, 'a', 'b\nc')).to.throw(TypeError, 'an ini file takes texts of one line')
    expect(() => setting(TOML, 'a', { b: null })).to.throw(TypeError, 'TOML has no null')
    expect(() => setting(JSON_FILE, 'a', Number.NaN)).to.throw(TypeError, 'NaN is not a number of a file')
    expect(() => setting(INI, 'a', 1, { separator: 'x' })).to.throw(TypeError, 'the separator is = or : with spaces')
    expect(() => edited('a', setting(JSON_FILE, 'a', 1))).to.throw(Problem, 'is not valid JSON')
  })

  it('shows no secret', () => {
    const step = setting(JSON_FILE, 'password', new Secret(() => 'hunter2'))
    expect(JSON.stringify(step.diff([undefined, Buffer.alloc(0)]))).not.to.include('hunter2')
    expect(edited(undefined, step)).to.equal('{\n  "password": "hunter2"\n}\n')
  })

  it('does not change a file that is not UTF-8', () => {
    expect(() => setting(INI, 'a', 1).diff([undefined, Buffer.from('gr\xfc\xdfe', 'latin1')])).to.throw(
      Problem,
      '/a.ini is not UTF-8',
    )
  })
})
