import ipaddr from 'ipaddr.js'
import { Secret } from '../../shell/secret.ts'

/** A type of value for an inventory or a flag: a description of valid values, and a check. */
export interface Field<out T> {
  /** Follows "should be" in messages: `a whole number from 1 to 254`. */
  readonly expects: string
  /** @returns the value; undefined if it is not valid */
  readonly check: (given: unknown) => T | undefined
  /** The faults of nested values, each with its path. */
  readonly faults?: (given: unknown, path: string) => readonly string[]
  readonly optional?: boolean
  /** A short description of its purpose; see {@link withDescription}. */
  readonly description?: string
}

export interface OptionalField<out T> extends Field<T> {
  readonly optional: true
}

/** The type of the values of a field. */
export type Out<F> = F extends Field<infer T> ? T : never

/** Returns the faults of a value: `path: should be …, got …`. */
export function faultsOf(field: Field<unknown>, given: unknown, path: string): readonly string[] {
  if (isPromise(given)) return [promised(path)]
  if (given === undefined) return field.optional ? [] : [`${path}: is missing; it should be ${field.expects}`]
  if (field.faults) return field.faults(given, path)
  return field.check(given) === undefined ? [`${path}: should be ${field.expects}, got ${shown(given)}`] : []
}

/** A text that is not empty. @example inventorySchema({ title: text, web: hosts() }) */
export const text: Field<string> = {
  expects: 'a text',
  check: (given) => (typeof given === 'string' && given.length > 0 ? given : undefined),
}

/**
 * True or false. On the command line, the flag of a playbook alone means true.
 *
 * @example inventorySchema({ web: hosts({ canary: optional(flag) }) })
 */
export const flag: Field<boolean> = {
  expects: 'true or false',
  check: (given) => (typeof given === 'boolean' ? given : undefined),
}

/**
 * A whole number, optionally within bounds.
 *
 * @example inventorySchema({ web: hosts({ workers: integer({ min: 1, max: 64 }) }) })
 */
export function integer({ min = -Infinity, max = Infinity }: { min?: number; max?: number } = {}): Field<number> {
  return {
    expects: `a whole number${bounds(min, max)}`,
    check: (given) =>
      typeof given === 'number' && Number.isInteger(given) && given >= min && given <= max ? given : undefined,
  }
}

function bounds(min: number, max: number): string {
  if (min === -Infinity) return max === Infinity ? '' : ` ≤ ${max}`
  return max === Infinity ? ` ≥ ${min}` : ` from ${min} to ${max}`
}

/** A TCP or UDP port. @example inventorySchema({ web: hosts({ port }) }) */
export const port: Field<number> = { ...integer({ min: 1, max: 65_535 }), expects: 'a port from 1 to 65535' }

/** One of these values. @example inventorySchema({ postgres: choice(15, 17), web: hosts() }) */
export function choice<const T extends readonly (string | number | boolean)[]>(...values: T): Field<T[number]> {
  return {
    expects: values.length === 1 ? shown(values[0]) : `one of ${values.map(shown).join(', ')}`,
    check: (given) => values.find((value) => value === given),
  }
}

/** A DNS name. @example inventorySchema({ domain: hostname, web: hosts() }) */
export const hostname: Field<string> = {
  expects: 'a DNS name such as shop.example.com',
  check: (given) => (typeof given === 'string' && given.length <= 253 && DNS_NAME.test(given) ? given : undefined),
}

const DNS_NAME = /^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/i

/** An IPv4 or IPv6 address. @example inventorySchema({ nameserver: address, web: hosts() }) */
export const address: Field<string> = {
  expects: 'an IP address such as 10.0.1.1',
  check: (given) => (typeof given === 'string' && isAddress(given) ? given : undefined),
}

/** An IP address with a prefix length. @example inventorySchema({ vip: cidr, lb: hosts() }) */
export const cidr: Field<string> = {
  expects: 'an address with its prefix length such as 10.0.1.100/24',
  check: (given) => (typeof given === 'string' && ipaddr.isValidCIDR(given) ? given : undefined),
}

/** A password, key or token. @example inventorySchema({ passwords: record({ app: credential }), db: hosts() }) */
export const credential: Field<Secret> = {
  expects: "a secret: secret.env('NAME'), secret.file('path') or secret.command('pass', 'show', 'name')",
  check: (given) => (given instanceof Secret ? given : undefined),
}

/** A certificate with the chain above it and its key, as PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: Secret
  /**
   * The thumbprint of the ACME account's key, if an ACME server issues the certificate: the answer to its HTTP-01 challenges contains it.
   */
  readonly thumbprint?: string
}

/**
 * A certificate and its key, as `authority`, `acme` and `pemPair` return them.
 *
 * @example inventorySchema({ certificate: keyPair, lb: hosts() })
 */
export const keyPair: Field<KeyPair> = {
  expects: 'a certificate (PEM) and its key (a secret)',
  check: (given) => {
    if (!isRecord(given)) return undefined
    const { certificate, key, thumbprint } = given
    const pem = typeof certificate === 'string' && certificate.includes('-----BEGIN CERTIFICATE-----')
    const account = typeof thumbprint === 'string' ? { thumbprint } : {}
    return pem && key instanceof Secret ? { certificate, key, ...account } : undefined
  },
}

/** The same type of value, which may be missing. @example inventorySchema({ contact: optional(text), web: hosts() }) */
export function optional<T>(field: Field<T>): OptionalField<T> {
  return { ...field, optional: true }
}

/**
 * The same field with a description. The help of a playbook shows it beside the flag.
 *
 * @example playbook(site, () => [], { flags: { release: withDescription('the release to deploy', text) } })
 */
export function withDescription<F extends Field<unknown>>(description: string, field: F): F {
  return { ...field, description }
}

/**
 * A list of values of one type.
 *
 * @example list(cidr)
 */
export function list<T>(of: Field<T>): Field<readonly T[]> {
  const faults = (given: unknown, path: string): readonly string[] =>
    Array.isArray(given)
      ? given.flatMap((one, i) => faultsOf(of, one, `${path}[${i}]`))
      : [`${path}: should be ${expects}, got ${shown(given)}`]
  const expects = `a list, each ${of.expects}`
  return { expects, faults, check: (given) => (faults(given, '').length === 0 ? (given as readonly T[]) : undefined) }
}

export type Fields = Readonly<Record<string, Field<unknown>>>

export type OptionalKey<F> = { [K in keyof F]: F[K] extends { readonly optional: true } ? K : never }[keyof F]

/** The type of the values of these fields. */
export type Values<F> = { readonly [K in Exclude<keyof F, OptionalKey<F>>]: Out<F[K]> } & {
  readonly [K in OptionalKey<F>]?: Out<F[K]>
}

/**
 * An object with named values.
 *
 * @example inventorySchema({ backup: record({ directory: text, days: integer({ min: 1 }) }), db: hosts() })
 */
export function record<const F extends Fields>(fields: F): Field<Values<F>> {
  const faults = (given: unknown, path: string): readonly string[] => {
    if (!isRecord(given)) return [`${path}: should be ${expects}, got ${shown(given)}`]
    const unknown = Object.keys(given).filter((key) => !(key in fields))
    return [
      ...Object.entries(fields).flatMap(([key, field]) => faultsOf(field, given[key], `${path}.${key}`)),
      ...unknown.map((key) => `${path}.${key}: is not known here; there are ${Object.keys(fields).join(', ')}`),
    ]
  }
  const expects = `a record of ${Object.keys(fields).join(', ')}`
  return { expects, faults, check: (given) => (faults(given, '').length === 0 ? (given as Values<F>) : undefined) }
}

/**
 * An object whose names the inventory chooses, with values of one type.
 *
 * @example inventorySchema({ environment: optional(dictionary(text)), web: hosts() })
 */
export function dictionary<T>(of: Field<T>): Field<Readonly<Record<string, T>>> {
  const faults = (given: unknown, path: string): readonly string[] =>
    isRecord(given)
      ? Object.entries(given).flatMap(([key, one]) => faultsOf(of, one, `${path}.${key}`))
      : [`${path}: should be ${expects}, got ${shown(given)}`]
  const expects = `an object, each value ${of.expects}`
  return {
    ...{ expects, faults },
    check: (given) => (faults(given, '').length === 0 ? (given as Readonly<Record<string, T>>) : undefined),
  }
}

export function isRecord(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}

export function isPromise(given: unknown): boolean {
  return isRecord(given) && typeof given['then'] === 'function'
}

/** The message for a promise in place of a value. */
export function promised(path: string): string {
  return `${path}: is a promise; write await before it, in an async function`
}

export function isAddress(given: string): boolean {
  // ipaddr.js also accepts old short forms such as 10.1, which are rejected here.
  return ipaddr.IPv6.isValid(given) || ipaddr.IPv4.isValidFourPartDecimal(given)
}

function shown(given: unknown): string {
  if (typeof given === 'string') return JSON.stringify(given)
  if (typeof given === 'object' && given !== null)
    return Array.isArray(given) ? 'a list' : given instanceof Secret ? 'a secret' : 'an object'
  return String(given)
}
