import { readFile } from 'node:fs/promises'

/** The newest primary that this host knows of, from the file that the provisioner writes at each failover and switchover. */
export interface RecordedPrimary {
  readonly address: string
  readonly timeline: number
}

/** Undefined where there is no record. @throws Error when there is one that cannot be read */
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
