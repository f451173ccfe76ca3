import { expect } from 'chai'
import {
  address,
  choice,
  cidr,
  credential,
  type Field,
  faultsOf,
  flag,
  hostname,
  integer,
  keyPair,
  list,
  optional,
  port,
  record,
  text,
} from '../../../src/model/inventory/fields.ts'
import { Secret } from '../../../src/shell/secret.ts'

const key = new Secret(() => 'key')

const certificate = '-----BEGIN CERTIFICATE-----\nMII\n'

interface Row {
  readonly field: Field<unknown>
  readonly takes: readonly unknown[]
  readonly refuses: readonly unknown[]
  /** The message for the first value in `refuses`. */
  readonly says: string
}

const FIELDS: Readonly<Record<string, Row>> = {
  list: {
    field: list(cidr),
    takes: [[], ['10.0.0.0/8', 'fd00::/8']],
    refuses: ['10.0.0.0/8', ['10.0.0.0']],
    says: 'should be a list, each an address with its prefix length such as 10.0.1.100/24, got "10.0.0.0/8"',
  },
  text: { field: text, takes: ['a', ' '], refuses: ['', 1, null], says: 'should be a text, got ""' },
  flag: {
    field: flag,
    takes: [true, false],
    refuses: ['true', 0],
    says: 'should be true or false, got "true"',
  },
  'integer without bounds': {
    field: integer(),
    takes: [-1, 0],
    refuses: ['1', 1.5, Number.NaN, 1n],
    says: 'should be a whole number, got "1"',
  },
  'integer from': {
    field: integer({ min: 1 }),
    takes: [1, 1e6],
    refuses: [0],
    says: 'should be a whole number ≥ 1, got 0',
  },
  'integer up to': {
    field: integer({ max: 5 }),
    takes: [-9, 5],
    refuses: [6],
    says: 'should be a whole number ≤ 5, got 6',
  },
  'integer from and up to': {
    field: integer({ min: 1, max: 254 }),
    takes: [1, 254],
    refuses: [255, 0],
    says: 'should be a whole number from 1 to 254, got 255',
  },
  port: {
    field: port,
    takes: [1, 65_535],
    refuses: [65_536, 0, '80'],
    says: 'should be a port from 1 to 65535, got 65536',
  },
  'choice of many': {
    field: choice(15, 17, 'latest', true),
    takes: [15, 'latest', true],
    refuses: [16, '15', false],
    says: 'should be one of 15, 17, "latest", true, got 16',
  },
  'choice of one': { field: choice('a'), takes: ['a'], refuses: ['b'], says: 'should be "a", got "b"' },
  hostname: {
    field: hostname,
    takes: ['notes.example.com', 'a', 'A-1.b', '1.2.3'],
    refuses: ['-a.b', 'a..b', 'a_b', 'a.', `${'a'.repeat(64)}.b`, `${'a.'.repeat(127)}`, ''],
    says: 'should be a DNS name such as shop.example.com, got "-a.b"',
  },
  address: {
    field: address,
    takes: ['10.0.1.1', 'fd00::1', '::ffff:1.2.3.4'],
    refuses: ['10.1', '10.0.1.256', 'web1', '10.0.1.1/24', 1],
    says: 'should be an IP address such as 10.0.1.1, got "10.1"',
  },
  cidr: {
    field: cidr,
    takes: ['10.0.1.100/24', 'fd00::1/64'],
    refuses: ['10.0.1.100', '10.0.1.100/33', 24],
    says: 'should be an address with its prefix length such as 10.0.1.100/24, got "10.0.1.100"',
  },
  credential: {
    field: credential,
    takes: [key],
    refuses: ['hunter2', { reveal: () => '' }],
    says: "should be a secret: secret.env('NAME'), secret.file('path') or secret.command('pass', 'show', 'name'), got \"hunter2\"",
  },
  keyPair: {
    field: keyPair,
    takes: [{ certificate, key }],
    refuses: [{ certificate, key: 'key' }, { certificate: 'x', key }, certificate, []],
    says: 'should be a certificate (PEM) and its key (a secret), got an object',
  },
}

describe('a field', () => {
  for (const [name, { field, takes, refuses, says }] of Object.entries(FIELDS)) {
    it(`of ${name} accepts valid values, and says what it should be`, () => {
      for (const value of takes) {
        expect(faultsOf(field, value, 'a.b')).to.deep.equal([])
        expect(field.check(value)).to.deep.equal(value)
      }
      for (const value of refuses) expect(faultsOf(field, value, 'a.b'), String(value)).to.have.length(1)
      expect(faultsOf(field, refuses[0], 'a.b')).to.deep.equal([`a.b: ${says}`])
    })
  }

  it('distinguishes missing from invalid, and may be missing if it is optional', () => {
    expect(faultsOf(port, undefined, 'web.port')).to.deep.equal([
      'web.port: is missing; it should be a port from 1 to 65535',
    ])
    expect(faultsOf(optional(port), undefined, 'web.port')).to.deep.equal([])
    expect(faultsOf(optional(port), 0, 'web.port')).to.have.length(1)
  })

  it('of several fields reports each error with its path', () => {
    const passwords = record({ app: credential, retries: optional(integer({ min: 0 })) })
    expect(faultsOf(passwords, { app: key }, 'passwords')).to.deep.equal([])
    expect(faultsOf(passwords, { retries: -1, apps: 1 }, 'passwords')).to.deep.equal([
      `passwords.app: is missing; it should be ${credential.expects}`,
      'passwords.retries: should be a whole number ≥ 0, got -1',
      'passwords.apps: is not known here; there are app, retries',
    ])
    expect(faultsOf(passwords, [], 'passwords')).to.deep.equal([
      'passwords: should be a record of app, retries, got a list',
    ])
    expect(passwords.check({})).to.equal(undefined)
  })

  it('never shows a secret in the wrong place', () => {
    expect(faultsOf(text, key, 'domain')).to.deep.equal(['domain: should be a text, got a secret'])
  })
})
