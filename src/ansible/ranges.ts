import { isAddress } from '../model/inventory/fields.ts'

interface HostPattern {
  readonly names: readonly string[]
  readonly port?: number
}

/**
 * Expands a pattern such as `web[01:20].example.com:2222`, `db-[a:c]` or `[2001:db8::5]:22` like Ansible; returns the error of an invalid
 * one.
 */
export function expandHostPattern(pattern: string): HostPattern | { readonly fault: string } {
  const [, inBrackets, portAfterBrackets] = /^\[(.+)\]:(\d+)$/.exec(pattern) ?? []
  const [, plain, plainPort] = /^((?:[^:[\]]|\[[^\]]*\])*):(\d+)$/.exec(pattern) ?? []
  const host = inBrackets ?? plain
  const port = portAfterBrackets ?? plainPort
  if (host !== undefined && !isHost(host)) return { fault: `"${host}" is not a host name or address` }
  const name = host ?? pattern
  if (name === '' || name === '---' || (name.endsWith(':') && !isAddress(name)))
    return { fault: `"${name}" is not a host name or address` }
  const names = expanded(name)
  if ('fault' in names) return names
  return { names: names.names, ...(port !== undefined && { port: Number(port) }) }
}

const RANGE = '\\[(?:[a-z]:[a-z]|\\d+:\\d+)(?::\\d+)?\\]'
const LABEL = `(?:[\\p{L}\\p{N}_]|${RANGE})(?:[\\p{L}\\p{N}_-]|${RANGE})*(?<![_-])`
const HOST = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, 'iu')

function isHost(text: string): boolean {
  return isAddress(text) || HOST.test(text) || /^[\da-f:.]*(?:\[\d+:\d+(?::\d+)?\][\da-f:.]*)+$/i.test(text)
}

type Names = { readonly names: readonly string[] } | { readonly fault: string }

function expanded(pattern: string): Names {
  if (!pattern.includes('[')) return { names: [pattern] }
  const [, before = '', range, after = ''] = /^([^[]*)\[([^\]]*)\](.*)$/.exec(pattern) ?? []
  if (range === undefined) return { fault: `The range in "${pattern}" has no end` }
  const middle = rangeOf(range)
  if ('fault' in middle) return middle
  const names: string[] = []
  for (const one of middle.names) {
    const more = expanded(`${before}${one}${after}`)
    if ('fault' in more) return more
    names.push(...more.names)
  }
  return { names }
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

function rangeOf(range: string): Names {
  const bounds = range.split(':')
  const [from = '', to = '', step = '1'] = bounds
  const begin = from === '' ? '0' : from
  if (bounds.length < 2 || bounds.length > 3) return wrong(range, 'it should be begin:end or begin:end:step')
  if (to === '') return wrong(range, 'it has no end')
  if (!/^\d+$/.test(step) || Number(step) === 0) return wrong(range, 'its step should be a whole number from 1')
  if (/^0\d/.test(begin) && begin.length !== to.length)
    return wrong(range, 'with zeros in front, begin and end should be of one length')
  const letters = begin.length === 1 && to.length === 1 ? [LETTERS.indexOf(begin), LETTERS.indexOf(to)] : []
  const [first = -1, last = -1] = letters
  const isLetters = first !== -1 && last !== -1
  if (!isLetters && !(/^\d+$/.test(begin) && /^\d+$/.test(to)))
    return wrong(range, 'begin and end should be two numbers, or two letters')
  const numbers = isLetters ? steps(first, last, Number(step)) : steps(Number(begin), Number(to), Number(step))
  if (numbers.length === 0) return wrong(range, 'its end is less than its begin')
  if (numbers.length > 65_536) return wrong(range, 'it names more than 65536 hosts')
  const width = /^0\d/.test(begin) ? begin.length : 0
  return { names: numbers.map((n) => (isLetters ? (LETTERS[n] ?? '') : String(n).padStart(width, '0'))) }
}

function wrong(range: string, why: string): { readonly fault: string } {
  return { fault: `The range [${range}] is not valid: ${why}` }
}

function steps(from: number, to: number, step: number): readonly number[] {
  const count = Math.min(65_537, Math.max(0, Math.floor((to - from) / step) + 1))
  return Array.from({ length: count }, (_, i) => from + i * step)
}
