/** Compares two versions as rpm does: `1:2.0-1`, with `~` before and `^` after the version that they follow. */
export function compareRpmVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)]
  return (
    Number(left.epoch) - Number(right.epoch) ||
    compareParts(left.version, right.version) ||
    compareParts(left.release, right.release)
  )
}

function partsOf(text: string) {
  const [, epoch = '0', version = '', release = ''] = /^(?:(\d+):)?([^-]*)(?:-(.*))?$/.exec(text) ?? []
  return { epoch, version, release }
}

/** A number is newer than letters, and the longer one is newer if the shorter one is its beginning. */
function compareParts(a: string, b: string): number {
  const [left, right] = [segmentsOf(a), segmentsOf(b)]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = compareSegments(left[i], right[i])
    if (order !== 0) return order
  }
  return 0
}

function segmentsOf(text: string): readonly string[] {
  return text.match(/\d+|[A-Za-z]+|[~^]/g) ?? []
}

function compareSegments(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0
  if (a === '~' || b === '~') return a === '~' ? -1 : 1
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1
  if (a === '^' || b === '^') return a === '^' ? -1 : 1
  const [isNumber, isOther] = [/\d/.test(a), /\d/.test(b)]
  if (isNumber !== isOther) return isNumber ? 1 : -1
  return isNumber ? Number(a) - Number(b) : a < b ? -1 : 1
}
