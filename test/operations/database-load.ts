import { readFileSync } from 'node:fs'
import type { Lab } from '../../src/lab/index.ts'
import { eventually } from '../integration/support.ts'

/** The results of clients that write without a pause. */
export interface Load {
  /** The key of each write that was acknowledged. */
  readonly acknowledged: readonly string[]
  /** The answers to the other writes, each with its time and duration. */
  readonly failed: readonly string[]
  /** The longest time without an acknowledged write, in milliseconds. */
  readonly gap: number
  /** The end of this time, as ISO 8601. */
  readonly gapUntil: string
}

/**
 * Runs the body with four clients of the application, two of them on kept-alive connections, which start before it and stop after it.
 *
 * @param rest milliseconds between two requests of a client
 */
export async function underLoad(lab: Lab, body: () => Promise<unknown>, { rest = 5 } = {}): Promise<Load> {
  const { address } = lab.host('app1')
  await lab.exec('app1', `rm -f /run/load.*; cat > /run/load.mjs <<'END'\n${CLIENT}\nEND`)
  await lab.exec(
    'app1',
    `setsid node /run/load.mjs http://${address}:3000/api/notes ${rest} >/run/load.log 2>&1 </dev/null &`,
  )
  await eventually(async () => (await lab.exec('app1', 'test -e /run/load.begun')).code === 0)
  try {
    await body()
  } finally {
    await lab.exec('app1', 'touch /run/load.stop')
  }
  await eventually(async () => (await lab.exec('app1', 'test -e /run/load.json')).code === 0)
  return JSON.parse((await lab.exec('app1', 'cat /run/load.json')).stdout) as Load
}

/** Waits until the clients of {@link underLoad} have written 20 times more. */
export async function writesAgain(lab: Lab): Promise<void> {
  const count = async () => Number((await lab.exec('app1', 'cat /run/load.count')).stdout)
  const before = await count()
  await eventually(async () => (await count()) >= before + 20)
}

/** The acknowledged writes that this database host does not have. */
export async function lostOn(lab: Lab, host: string, { acknowledged }: Load): Promise<readonly string[]> {
  const { stdout } = await sql(lab, host, 'select idempotency_key from notes.note', { database: 'notes' })
  const there = new Set(stdout.split('\n'))
  return acknowledged.filter((key) => !there.has(key))
}

/** Runs SQL as the superuser on the host itself; stops after this number of seconds with status 124. */
export function sql(lab: Lab, host: string, text: string, { database = 'postgres', within = 60 } = {}) {
  return lab.exec(
    host,
    `cd / && timeout ${within} setpriv --reuid postgres --regid postgres --init-groups psql -AtXc "${text}" ${database}`,
  )
}

const CLIENT = readFileSync(new URL('./database-client.mjs', import.meta.url), 'utf8')
