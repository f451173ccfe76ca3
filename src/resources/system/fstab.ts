/** A line of fstab(5). */
export interface FstabEntry {
  readonly source: string
  readonly target: string
  readonly type: string
  readonly options: string
  readonly pass: number
}

/** The entries of a text, each with the number of its line. */
export function entriesIn(lines: readonly string[]): readonly (FstabEntry & { readonly line: number })[] {
  return lines.flatMap((text, line) => {
    const [source = '', target = '', type = '', options = 'defaults', , pass = '0'] = text.trim().split(/\s+/)
    if (source === '' || source.startsWith('#')) return []
    return [{ source: decoded(source), target: decoded(target), type, options, pass: Number(pass), line }]
  })
}

export function lineOf({ source, target, type, options, pass }: FstabEntry): string {
  return `${encoded(source)} ${encoded(target)} ${type} ${options} 0 ${pass}`
}

/** The kernel and fstab write a space as `\040`. */
export function decoded(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

function encoded(text: string): string {
  return text.replace(/[\s\\#]/g, (one) => `\\${one.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

/** Replaces the entries that fit by one; without any, the entry comes last. Comments stay. */
export function withEntry(
  lines: readonly string[],
  fits: (entry: FstabEntry) => boolean,
  wanted: FstabEntry | undefined,
): readonly string[] {
  const own = entriesIn(lines).filter(fits)
  const first = own[0]?.line
  const removed = new Set(own.map(({ line }) => line))
  const kept = lines.flatMap((line, i) => (i === first && wanted ? [lineOf(wanted)] : removed.has(i) ? [] : [line]))
  return first === undefined && wanted ? [...kept, lineOf(wanted)] : kept
}
