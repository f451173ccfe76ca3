import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'
import { type AptSource, debianMirror, type Mirror, parseDeb822, parseOneLine } from './sources.ts'

const APT = '/etc/apt'

/** The mirror that this machine itself installs from; or, where it is no Debian, the one that PROVISION_LAB_MIRROR names. */
export function machineMirror(): Mirror {
  const named = process.env['PROVISION_LAB_MIRROR']
  if (named) return { archive: named.replace(/\/+$/, ''), security: undefined }
  const found = debianMirror(machineSources())
  if (found) {
    const [archive, security] = [found.archive, found.security].map((uri) => uri && onlyMirror(uri))
    if (archive) return { archive, security }
  }
  throw new Problem("No mirror of Debian stands in this machine's apt sources.", {
    where: `${APT}/sources.list, ${APT}/sources.list.d`,
    next: 'Name one: PROVISION_LAB_MIRROR=http://… provision lab up',
  })
}

function machineSources(): readonly AptSource[] {
  const list = join(APT, 'sources.list.d')
  if (!existsSync(list)) return parseOneLine(readIfThere(join(APT, 'sources.list')))
  const files = readdirSync(list, { withFileTypes: true }).map(({ name }) => join(list, name))
  return [join(APT, 'sources.list'), ...files.sort()].flatMap((file) => {
    if (file.endsWith('.sources')) return parseDeb822(readFileSync(file, 'utf8'))
    return file.endsWith('.list') ? parseOneLine(readIfThere(file)) : []
  })
}

/** Debian's images for clouds keep the mirror in a list of its own: `mirror+file:/etc/apt/mirrors/debian.list`. */
function onlyMirror(uri: string): string | undefined {
  const [, list] = /^mirror\+file:(.*)$/.exec(uri) ?? []
  if (list === undefined) return uri
  return readIfThere(list)
    .split(/\s+/)
    .find((word) => /^https?:/.test(word))
    ?.replace(/\/+$/, '')
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
