import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What users' code tells may hang on more than its files: milliseconds for which it is believed. */
const BELIEVED = 10 * 60_000

/** What was found out from compiled files, kept beside them as JSON until these are made anew. */
export async function kept<T>(outdir: string, name: string, find: () => Promise<T>): Promise<T> {
  const path = join(outdir, name)
  const stamp = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (stamp > statSync(join(outdir, 'inputs.json')).mtimeMs && Date.now() - stamp < BELIEVED)
    return JSON.parse(readFileSync(path, 'utf8'))
  const found = await find()
  // In one move: the shell of another terminal may be reading it.
  const fresh = `${path}.${process.pid}`
  writeFileSync(fresh, JSON.stringify(found))
  renameSync(fresh, path)
  return found
}
