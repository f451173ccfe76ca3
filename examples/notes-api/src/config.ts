import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface Config {
  /** The name of this machine, as `x-served-by` shows it. */
  readonly host: string
  readonly release: string
  readonly listen: Endpoint
  /** The endpoint that serves `/metrics`; undefined disables it. */
  readonly metrics: Endpoint | undefined
  readonly database: DatabaseConfig
}

export interface DatabaseConfig {
  /** All hosts that may be the primary, in no particular order. */
  readonly hosts: readonly Endpoint[]
  readonly name: string
  readonly user: string
  readonly password: string
  /** Path of the record of the newest primary; the file may be missing. Undefined: no record is read. */
  readonly record: string | undefined
  /** PEM of the only trusted authority; undefined disables TLS. */
  readonly ca: string | undefined
}

/** All problems of the environment, one per line; each line begins with the name of the variable. */
export class ConfigProblem extends Error {
  override readonly name = 'ConfigProblem'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** @throws {@link ConfigProblem} that names every invalid variable, not only the first one */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = []
  const ask = <T>(name: string, parse: (value: string) => T, missing: string): T | undefined => {
    const value = env[name] ?? ''
    try {
      if (value === '') throw new Error(missing)
      return parse(value)
    } catch (error) {
      problems.push(`${name} ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }
  const optional = <T>(name: string, parse: (value: string) => T): T | undefined =>
    (env[name] ?? '') === '' ? undefined : ask(name, parse, '')

  const listen = ask('LISTEN', endpoint, 'is missing: give address:port, such as 198.18.0.31:3000')
  const metrics = optional('METRICS', endpoint)
  const hosts = ask(
    'DATABASE_HOSTS',
    endpoints,
    'is missing: give every database host, such as 198.18.0.41:5432,198.18.0.42:5432',
  )
  const name = ask('DATABASE_NAME', String, 'is missing: give the name of the database')
  const user = ask('DATABASE_USER', String, 'is missing: give the role to log in as')
  const ca = optional('DATABASE_CA', certificates)
  const record = optional('DATABASE_RECORD', String)
  const password = ask(
    'CREDENTIALS_DIRECTORY',
    passwordIn,
    'is missing: systemd sets it for a unit with LoadCredential=db-password:/path',
  )
  if (
    problems.length > 0 ||
    listen === undefined ||
    hosts === undefined ||
    name === undefined ||
    user === undefined ||
    password === undefined
  )
    throw new ConfigProblem(problems)
  const database = { hosts, name, user, password, ca, record }
  return { host: hostname(), release: env['RELEASE'] || 'unnamed', listen, metrics, database }
}

export const shown = ({ host, port }: Endpoint): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

function endpoints(text: string): readonly Endpoint[] {
  return text.split(',').map((part) => endpoint(part.trim()))
}

function endpoint(text: string): Endpoint {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\],]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || !(port <= 65_535))
    throw new Error(`has '${text}', which is not address:port (IPv6 goes into brackets: [::1]:3000)`)
  return { host, port }
}

function certificates(path: string): string {
  const pem = contents(path)
  try {
    new X509Certificate(pem)
  } catch {
    throw new Error(`names ${path}, which holds no certificate in PEM`)
  }
  return pem
}

function passwordIn(directory: string): string {
  const path = join(directory, 'db-password')
  const password = contents(path).replace(/\r?\n$/, '')
  if (password === '') throw new Error(`leads to ${path}, which is empty`)
  return password
}

function contents(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`leads to ${path}, which cannot be read: ${error instanceof Error ? error.message : error}`)
  }
}
