import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { locked } from '../../src/lab/base/lock.ts'
import { deleteSnapshot, downLab, type Lab, listSnapshots, upLab } from '../../src/lab/index.ts'
import { DEBIAN, freshLab, provision, ROOT } from './support.ts'

/** The id of a run of several test files (scripts/integration.js), which deletes its snapshots at the end. */
const RUN = process.env['TEST_RUN']
/** `KEEP_SITE=1`: the snapshot is kept, and later runs use it until the sources change. */
const KEEP = process.env['KEEP_SITE'] === '1'

const SNAPSHOT = `test-site-${DEBIAN}-${KEEP ? fingerprint() : (RUN ?? process.pid)}`

/**
 * A lab with the whole site of inventory/lab.ts: provisioned once per test run, and then copied from a snapshot. The boots of its hosts
 * are complete.
 */
export async function provisionedLab(name: string): Promise<Lab> {
  // Another file of the same run may need it at the same time.
  await locked({ name: `${SNAPSHOT} is provisioned` }, async () => {
    if (!(await isThere())) await makeSite(SNAPSHOT)
  })
  try {
    await downLab(name)
    const lab = await upLab({ name, from: SNAPSHOT })
    await Promise.all(lab.hosts.map((host) => lab.exec(host.name, BOOTED)))
    return lab
  } finally {
    if (!KEEP && RUN === undefined) await deleteSnapshot(SNAPSHOT)
  }
}

/** Waits for the end of the boot. systemctl fails at once while systemd cannot be asked yet. */
const BOOTED = `until case $(systemctl is-system-running --wait 2>/dev/null) in running | degraded) ;; *) false ;; esac; do sleep 0.2; done`

/** Shares the site that a suite has provisioned with other suites of the same test run. */
export async function shareSite(lab: Lab): Promise<void> {
  if (RUN === undefined && !KEEP) return
  await locked({ name: `${SNAPSHOT} is provisioned` }, async () => {
    if (!(await isThere())) await lab.snapshot(SNAPSHOT)
  })
}

async function isThere(): Promise<boolean> {
  return (await listSnapshots()).some(({ name }) => name === SNAPSHOT)
}

async function makeSite(snapshot: string): Promise<void> {
  const began = performance.now()
  const lab = await freshLab({ name: snapshot })
  try {
    const { code, text } = await provision(['--inventory', 'inventory/lab.ts'], { LAB: snapshot })
    if (code !== 0) throw new Error(`the site could not be provisioned: ${code}\n${text}`)
    await Promise.all(lab.hosts.map((host) => lab.poweroff(host.name)))
    await lab.snapshot(snapshot)
  } finally {
    await downLab(snapshot)
  }
  console.log(`    the site was provisioned in ${((performance.now() - began) / 1000).toFixed(0)} s`)
}

/** A hash of all files that determine the site. */
function fingerprint(): string {
  const hash = createHash('sha256')
  for (const folder of ['src', 'roles', 'stack', 'playbooks', 'inventory', 'examples/notes-api']) {
    for (const path of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).sort()) {
      const full = join(ROOT, folder, path)
      if (path.includes('node_modules') || !statSync(full).isFile()) continue
      hash.update(`${folder}/${path}\0`).update(readFileSync(full))
    }
  }
  return hash.digest('hex').slice(0, 10)
}
