import { Closed } from './value.ts'

export interface PlainScalar {
  readonly type: 'null' | 'bool' | 'int' | 'float' | 'str' | 'timestamp'
  readonly value: unknown
}

/** A scalar without quotes, by the rules of PyYAML, which are those of YAML 1.1 but for `y`, `n` and `1e3`. */
export function plainScalar(text: string): PlainScalar {
  if (/^(~|null|Null|NULL|)$/.test(text)) return { type: 'null', value: null }
  if (/^(yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)) return { type: 'bool', value: true }
  if (/^(no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text)) return { type: 'bool', value: false }
  if (INT.test(text)) return { type: 'int', value: whole(text) }
  if (FLOAT.test(text)) return { type: 'float', value: decimal(text) }
  if (DATE.test(text)) return { type: 'timestamp', value: Closed.date }
  return { type: 'str', value: text }
}

const INT =
  /^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/
const DATE =
  /^(?:\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?)$/

function whole(text: string): unknown {
  const { sign, digits } = parts(text)
  const octal = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined
  const value = sign * (octal ?? (digits.includes(':') ? sexagesimal(digits) : Number(digits)))
  if (!Number.isSafeInteger(value)) return Closed.number
  return value === 0 ? 0 : value
}

function decimal(text: string): number {
  const { sign, digits } = parts(text.toLowerCase())
  if (digits === '.inf') return sign * Number.POSITIVE_INFINITY
  if (digits === '.nan') return Number.NaN
  return sign * (digits.includes(':') ? sexagesimal(digits) : Number(digits))
}

function parts(text: string): { readonly sign: 1 | -1; readonly digits: string } {
  return { sign: text.startsWith('-') ? -1 : 1, digits: text.replaceAll('_', '').replace(/^[-+]/, '') }
}

/** `1:30` is 90, as in 1 min 30 s. */
function sexagesimal(digits: string): number {
  return digits.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
}
