import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../model/problem.ts'
import { ownAsDirectory } from './invoker.ts'
import { labPaths } from './paths.ts'

/** A password of this lab: made when it is first asked for, the same from then on. */
export function labSecret(lab: string, name: string): string {
  if (!/^[\w.-]+$/.test(name))
    throw new Problem(`"${name}" cannot be the name of a secret: it becomes a file's.`, {
      next: 'Use letters, digits, dots, dashes and underscores.',
    })
  const { secrets } = labPaths(lab)
  const path = join(secrets, name)
  try {
    return readFileSync(path, 'utf8')
  } catch {
    mkdirSync(secrets, { recursive: true, mode: 0o700 })
  }
  try {
    const fresh = randomBytes(18).toString('base64url')
    writeFileSync(path, fresh, { flag: 'wx', mode: 0o600 })
    ownAsDirectory(path)
    return fresh
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
      return readFileSync(path, 'utf8') // another was first
    throw error
  }
}
