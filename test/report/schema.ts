import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'

const SCHEMA = JSON.parse(readFileSync(new URL('../../schema/events.json', import.meta.url), 'utf8'))
const isEvent = new Ajv2020({ allErrors: true, formats: { 'date-time': isTime } }).compile(SCHEMA)

/** The kinds of lines in the published schema. */
export const KINDS: ReadonlySet<string> = new Set(
  SCHEMA.oneOf.map(({ properties }: { properties: { kind: { const: string } } }) => properties.kind.const),
)

/** The lines of `--output json` that violate the published schema. */
export function misfits(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !isEvent(JSON.parse(line)))
}

function isTime(text: string): boolean {
  return !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text
}
