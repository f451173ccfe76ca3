import type { Lab } from '../../src/lab/index.ts'
import { eventually } from '../integration/support.ts'
import { other, rolesIn } from './automatic-site.ts'

/** Kills the main process of PostgreSQL. */
export async function killServer(lab: Lab, host: string): Promise<void> {
  await must(lab, host, 'kill -9 "$(head -n 1 /var/lib/postgresql/17/main/postmaster.pid)"')
}

/** Kills Patroni alone; PostgreSQL continues to run. */
export async function killPatroni(lab: Lab, host: string): Promise<void> {
  await must(lab, host, 'kill -9 "$(systemctl show -p MainPID --value patroni)"')
}

/** Changes the settings in etcd that all database hosts share. */
export async function patchCluster(lab: Lab, host: string, change: object): Promise<void> {
  await must(lab, host, `provision-patroni PATCH /config '${JSON.stringify(change)}' | tail -n 1 | grep -qx 200`)
}

/** Waits until a primary leads, and answers: on a busy machine a question may have no answer. */
export async function leaderIn(lab: Lab): Promise<string> {
  let found: string | undefined
  await eventually(async () => {
    found = (await rolesIn(lab)).leader
    return found !== undefined
  })
  return found ?? ''
}

/** Waits until a primary leads, and the other database host has each acknowledged write. */
export async function wholeCluster(lab: Lab): Promise<void> {
  await eventually(async () => {
    const { leader, candidate } = await rolesIn(lab)
    return leader !== undefined && candidate === other(leader)
  })
}

/** Waits until this host is the primary, according to its own Patroni. */
export async function promoted(lab: Lab, host: string): Promise<void> {
  const ask = 'PATRONI_TIMEOUT=4 timeout 8 provision-patroni GET /primary 2>/dev/null | tail -n 1'
  await eventually(async () => (await lab.exec(host, ask)).stdout.trim() === '200')
}

async function must(lab: Lab, host: string, command: string): Promise<void> {
  const { code, stdout, stderr } = await lab.exec(host, command)
  if (code !== 0) throw new Error(`${host}: ${command}: ${stderr || stdout}`)
}
