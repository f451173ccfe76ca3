import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, type ProcessId, processId } from './process-id.ts'

/** Does something while no other process does it. A lock whose owner died is taken over. */
export async function locked<T>(
  { path, waiting }: { readonly path: string; readonly waiting?: () => void },
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true })
  for (let told = false; !(await take(path)); told = true) {
    if (!told) waiting?.()
    await sleep(50)
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function take(path: string): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(processId(process.pid)), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  const owner = await readOwner(path)
  if (owner && !isAlive(owner)) await rm(path, { force: true })
  return false
}

async function readOwner(path: string): Promise<ProcessId | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessId
  } catch {
    return undefined // released, or its owner is just writing it
  }
}
