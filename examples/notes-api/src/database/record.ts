import { readFile } from 'node:fs/promises'

/** The newest primary that this host has on record, from the file that the provisioner writes at each failover and switchover. */
export interface RecordedPrimary {
  readonly address: string
  readonly timeline: number
}

/** Returns undefined if there is no record. @throws Error if the record cannot be read */
export async function readRecord(path: string): Promise<RecordedPrimary | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const given: unknown = JSON.parse(text)
  if (typeof given !== 'object' || given === null) throw new Error(`${path} holds no record`)
  const { address, timeline } = given as Readonly<Record<string, unknown>>
  if (typeof address !== 'string' || typeof timeline !== 'number')
    throw new Error(`${path} has no address or no timeline`)
  return { address, timeline }
}
