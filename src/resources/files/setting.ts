import { Problem } from '../../model/problem.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { Secret } from '../../shell/secret.ts'
import { checkPath } from '../arguments.ts'
import { editKind, type FileState } from './edit.ts'
import { editIni, iniValue } from './setting-ini.ts'
import { editJson, jsonValue } from './setting-json.ts'
import { editToml, tomlValue } from './setting-toml.ts'
import type { SettingEdit, SettingFormat, SettingKey, SettingValue } from './setting-values.ts'
import { editYaml, yamlValue } from './setting-yaml.ts'
import type { AbsolutePath } from './stat.ts'

interface SettingOptions extends StepOptions {
  /** @default the suffix of the path: `.ini`, `.json`, `.yaml`, `.yml`, `.toml` */
  readonly format?: SettingFormat
}

interface IniOptions extends SettingOptions {
  /** The text between name and value of a new line of an ini file. @default as the other settings of the file, else ` = ` */
  readonly separator?: string
}

/**
 * One setting in a configuration file that is also edited by others. Comments, order and the other settings stay. A missing file is created.
 *
 * A file that cannot be parsed is a Problem, and so is one in which the place of the setting is not clear: the name occurs twice, or a value
 * is in place of a section. In ini files the first line with the name is changed and the others with the name are removed.
 *
 * `setting.absent(path, key)` removes it.
 *
 * @param key the name; a list of names for a setting in a section: `['mysqld', 'port']`
 * @throws TypeError for an invalid path, key or value, and for a path whose suffix does not show the format
 * @example setting('/etc/docker/daemon.json', ['log-opts', 'max-size'], '10m')
 * @example setting('/etc/php/8.2/fpm/php.ini', ['PHP', 'memory_limit'], '256M')
 * @example setting.absent('/etc/app/config.toml', ['server', 'debug'])
 */
export function setting(
  path: AbsolutePath,
  key: SettingKey,
  value: SettingValue | Secret,
  { format, separator, ...options }: IniOptions = {},
): Step {
  const given = checked('setting', path, key, format)
  if (separator !== undefined && !/^[ \t]*[=:]?[ \t]*$/.test(separator))
    throw new TypeError(`setting in ${path}: the separator is = or : with spaces`)
  if (!(value instanceof Secret)) checkValue(`setting ${given.names.join('.')} in ${path}`, given.format, value)
  return settingStep({ ...given, value, separator }, options)
}

setting.absent = (path: AbsolutePath, key: SettingKey, { format, ...options }: SettingOptions = {}): Step =>
  settingStep({ ...checked('setting.absent', path, key, format), value: undefined, separator: undefined }, options)

interface SettingParams {
  readonly path: AbsolutePath
  readonly names: readonly (string | number)[]
  readonly format: SettingFormat
  /** Undefined to remove it. */
  readonly value: SettingValue | Secret | undefined
  readonly separator: string | undefined
}

const settingStep = resource<SettingParams, FileState>(
  'setting',
  editKind({
    id: ({ path, names }) => `${path}: ${names.join('.')}`,
    path: ({ path }) => path,
    change: (params, before) => {
      const text = before.toString()
      if (!Buffer.from(text).equals(before)) throw new Problem(`${params.path} is not UTF-8`, { next: CONVERT })
      const changed = edit(params, text)
      return changed === text ? before : Buffer.from(changed)
    },
    fields: ({ path, names, format, value }, before) => {
      const found = attempted(() => CURRENT[format]({ path, text: before.toString(), names }))
      const name = names.join('.')
      return [
        { name, ...(found !== undefined && { from: shown(found) }), to: value === undefined ? 'absent' : shown(value) },
      ]
    },
    removes: ({ value }) => value === undefined,
    isSecret: ({ value }) => value instanceof Secret,
  }),
)

const CONVERT = 'Convert the file on the host, for example with iconv.'

const CURRENT = { ini: iniValue, json: jsonValue, yaml: yamlValue, toml: tomlValue }

function edit({ path, names, format, value, separator }: SettingParams, text: string): string {
  const change: SettingEdit = { path, text, names, value: value instanceof Secret ? value.reveal() : value }
  if (format === 'ini') return editIni(change, separator)
  return { json: editJson, yaml: editYaml, toml: editToml }[format](change)
}

function checked(what: string, path: AbsolutePath, key: SettingKey, given: SettingFormat | undefined) {
  checkPath(`${what} in ${path}`, path)
  const names = typeof key === 'string' ? [key] : key
  const format = given ?? SUFFIXES[/\.\w+$/.exec(path)?.[0] ?? '']
  if (!format)
    throw new TypeError(
      `${what} in ${path}: the suffix does not show the format: add { format: 'ini' }, json, yaml or toml`,
    )
  const isName = (one: string | number) =>
    typeof one === 'number'
      ? Number.isInteger(one) && one >= 0 && format !== 'ini'
      : one !== '' && !/[\n\r\0]/.test(one)
  if (!names.every(isName) || (format === 'ini' && names.length > 2))
    throw new TypeError(
      `${what} in ${path}: ${JSON.stringify(key)} is not a key: ${format === 'ini' ? 'give a name, or [section, name]' : 'give a name or a list of names'}`,
    )
  return { path, names, format }
}

const SUFFIXES: Readonly<Record<string, SettingFormat | undefined>> = {
  ...{ '.ini': 'ini', '.json': 'json', '.toml': 'toml' },
  ...{ '.yaml': 'yaml', '.yml': 'yaml' },
}

function checkValue(what: string, format: SettingFormat, value: SettingValue): void {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new TypeError(`${what}: ${value} is not a number of a file`)
  if (format === 'ini' && (typeof value === 'object' || /[\n\r\0]/.test(String(value))))
    throw new TypeError(`${what}: an ini file takes texts of one line, numbers and booleans`)
  if (format === 'toml' && JSON.stringify(value).includes('null') && hasNull(value))
    throw new TypeError(`${what}: TOML has no null: use setting.absent`)
}

function hasNull(value: SettingValue): boolean {
  return value === null || (typeof value === 'object' && Object.values(value).some(hasNull))
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function attempted<T>(body: () => T): T | undefined {
  try {
    return body()
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}
