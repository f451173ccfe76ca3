import { InvalidParams, Secret, template } from 'provision-ts'
import { formatEndpoint } from '../endpoint.ts'
import type { AppParams } from './params.ts'

export interface ServiceUnit {
  readonly name: string
  readonly description: string
  /** Words in double quotes, escaped for systemd. */
  readonly exec: string
  /** The directory of the release. */
  readonly directory: string
  /** The values are escaped for a quoted `Environment=`. */
  readonly environment: readonly (readonly [variable: string, value: string])[]
  /** True if there are variables with secret values. */
  readonly secrets: boolean
  /** True if there is a password of a database. */
  readonly password: boolean
  readonly stateDirectory: boolean
  readonly memory: string
  readonly stopWithin: number
  readonly port: number
  /** True for a command that ends. */
  readonly once: boolean
}

export interface TimerUnit {
  readonly description: string
  readonly at: string
}

const serviceUnit = template<ServiceUnit>(import.meta, 'app.service.ejs')
const timerUnit = template<TimerUnit>(import.meta, 'app.timer.ejs')

/** The program that runs several processes of a Node.js application on one port. */
export const processesScript = template<Record<never, never>>(import.meta, 'processes.mjs.ejs')

export const PROCESSES = '/usr/local/lib/provision/processes.mjs'

interface UnitOptions {
  readonly start: readonly string[]
  readonly description?: string
  readonly processes?: number
  readonly once?: boolean
  /** @default the current release */
  readonly directory?: string
}

/** Renders a unit of the application, with its environment. Passwords are not part of it. */
export function renderUnit(params: AppParams, options: UnitOptions): string {
  const { name, listen, secrets = {}, database, memory = '75%', stopWithin = 30, stateDirectory = false } = params
  const { start, processes = 1, once = false, description = name, directory = `/srv/${name}/current` } = options
  const environment = environmentOf(params)
  return serviceUnit({
    ...{ name, description, directory, memory, stopWithin, stateDirectory, once },
    exec: commandLine(wordsOf(start, { processes, directory }), environment),
    environment: Object.entries(environment).map(([variable, value]) => [variable, escapeQuoted(value)] as const),
    secrets: Object.keys(secrets).length > 0,
    password: database !== undefined,
    port: listen.port,
  })
}

/** Renders the timer of a job. */
export function renderTimer(name: string, at: string): string {
  return timerUnit({ description: name, at: oneLine(at) })
}

/** Renders a file for `EnvironmentFile=`. A value in double quotes keeps line breaks, and a backslash before these four characters is removed. */
export function secretsFile(secrets: Readonly<Record<string, Secret>>): Secret {
  return new Secret(() =>
    Object.entries(secrets)
      .map(([variable, secret]) => `${variable}="${secret.reveal().replace(/[\\"$\x60]/g, '\\$&')}"\n`)
      .join(''),
  )
}

/** Returns the index of the script in a command of Node.js; undefined for another program. */
export function scriptOf(start: readonly string[]): number | undefined {
  if (!/^(?:\/usr\/bin\/)?node$/.test(start[0] ?? '')) return undefined
  const script = start.findIndex((word, i) => i > 0 && !word.startsWith('-'))
  return script === -1 ? undefined : script
}

function wordsOf(
  start: readonly string[],
  { processes, directory }: { readonly processes: number; readonly directory: string },
): readonly string[] {
  const [program = '', ...rest] = start
  const script = scriptOf(start)
  if (script === undefined) return [program.includes('/') ? absolute(program, directory) : program, ...rest]
  return processes > 1
    ? ['/usr/bin/node', ...start.slice(1, script), PROCESSES, String(processes), ...start.slice(script)]
    : ['/usr/bin/node', ...rest]
}

function absolute(program: string, directory: string): string {
  return program.startsWith('/') ? program : `${directory}/${program.replace(/^\.\//, '')}`
}

function environmentOf(params: AppParams): Readonly<Record<string, string>> {
  const { name, release, listen, metrics, databases = [], database, stateDirectory, environment = {} } = params
  const own = {
    NODE_ENV: 'production',
    RELEASE: release.id,
    LISTEN: formatEndpoint(listen),
    HOST: listen.address,
    PORT: String(listen.port),
    ...(metrics && { METRICS: formatEndpoint(metrics) }),
    ...(database && {
      DATABASE_HOSTS: databases.map(({ address, port = 5432 }) => formatEndpoint({ address, port })).join(','),
      DATABASE_NAME: database.name,
      DATABASE_USER: database.user,
      DATABASE_CA: `/etc/${name}/authority.pem`,
      ...(database.record !== undefined && { DATABASE_RECORD: database.record }),
    }),
    ...(stateDirectory && { STATE_DIRECTORY: `/var/lib/${name}` }),
  }
  const further = Object.entries(environment).map(([variable, value]) => [variable, expanded(value, own)])
  return { ...own, ...Object.fromEntries(further) }
}

/** Replaces `${VARIABLE}`. @throws InvalidParams for a variable that there is not */
function expanded(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)\}/g, (_all, name: string) => {
    const value = variables[name]
    if (value !== undefined) return value
    throw new InvalidParams(`\${${name}} is not a variable of the application.`, {
      where: 'application',
      next: `Use one of ${Object.keys(variables).join(', ')}.`,
    })
  })
}

function commandLine(words: readonly string[], variables: Readonly<Record<string, string>>): string {
  return words
    .map((word) => expanded(word, variables))
    .map((word) => (/^[\w./:@=,+-]+$/.test(word) ? word : `"${escapeQuoted(word).replaceAll('$', '$$$$')}"`))
    .join(' ')
}

/** Escapes a value for double quotes in a unit, where % starts a specifier. */
function escapeQuoted(value: string): string {
  return oneLine(value).replace(/[\\"]/g, '\\$&').replaceAll('%', '%%')
}

function oneLine(value: string): string {
  if (/[\n\r\0]/.test(value))
    throw new InvalidParams(`${JSON.stringify(value)} has a line break, which a line of a unit cannot have.`, {
      where: 'application',
      next: 'Remove it.',
    })
  return value
}
