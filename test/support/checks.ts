import { chmodSync, writeFileSync } from 'node:fs'
import type { OpenSession } from '../../src/engine/hosts/scripts.ts'
import { verify } from '../../src/engine/verify.ts'
import type { Checks } from '../../src/model/check/check.ts'
import { type Finding, verification } from '../../src/model/check/verification.ts'
import type { Host } from '../../src/model/inventory/host.ts'
import { inventory } from '../../src/model/inventory/inventory.ts'
import { hosts, inventorySchema } from '../../src/model/inventory/schema.ts'
import { sh } from '../../src/shell/sh.ts'
import type { Session } from '../../src/transport/session/session.ts'
import type { Rig } from './rig.ts'

/** Programs of a test, by name, as text for sh. They take precedence over those of the machine. */
export type Programs = Readonly<Record<string, string>>

/** The program never answers. */
export const SILENT = 'exec sleep 100000'
/** The program ends at once without output or error. */
export const SPEECHLESS = 'exit 0'

export interface CheckOptions {
  readonly programs?: Programs
  /** The limits of checks, as a percentage of the declared ones. @default 100 */
  readonly percent?: number
  /** @default web1 */
  readonly names?: readonly string[]
}

/** Opens sessions on this machine with some of its programs replaced. */
export function replacing(rig: Rig, { programs = {}, percent = 100 }: CheckOptions): OpenSession {
  const directory = rig.empty()
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(`${directory}/${name}`, `#!/bin/sh\n${text}\n`)
    chmodSync(`${directory}/${name}`, 0o755)
  }
  return async (host, options) => {
    const opened = await rig.open(host, options)
    return { ...opened, session: replaced(opened.session, directory, percent) }
  }
}

/** Returns the findings of checks on this machine with some of its programs replaced. */
export async function findingsOf(
  rig: Rig,
  checks: (hosts: readonly Host[]) => Checks,
  { names = ['web1'], ...options }: CheckOptions = {},
): Promise<readonly Finding[]> {
  const site = inventorySchema({ web: hosts() })
  const given = Object.fromEntries(names.map((name, i) => [name, { address: `127.0.0.${i + 1}` }]))
  const { findings } = await verify(
    {
      inventory: inventory(site, { web: { hosts: given } }),
      verification: verification(site, ({ web }) => checks(web.hosts)),
    },
    replacing(rig, options),
  )
  return findings.filter(({ label }) => label !== 'nothing is left of unfinished runs')
}

/** Returns a line `outcome: message` for each finding. */
export async function resultsOf(...given: Parameters<typeof findingsOf>): Promise<readonly string[]> {
  return (await findingsOf(...given)).map(({ outcome, problem }) =>
    [outcome, problem?.message].filter((part) => part !== undefined).join(': '),
  )
}

function replaced(session: Session, directory: string, percent: number): Session {
  return {
    opened: session.opened,
    run: (scripts, options) =>
      session.run(
        scripts.map((one) => ({
          ...one,
          script: sh`PATH=${directory}:$PATH PROVISION_TIMEOUT_PERCENT=${percent}
export PATH PROVISION_TIMEOUT_PERCENT
${one.script}`,
        })),
        options,
      ),
    get trips() {
      return session.trips
    },
    get traffic() {
      return session.traffic
    },
    close: () => session.close(),
  }
}
