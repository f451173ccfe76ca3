import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from '../../src/lab/index.ts'

/** A process on a host that has ended. */
export interface Accounted {
  /** The name of its program, at most 15 characters. */
  readonly program: string
  /** True if it was forked and did not start another program. */
  readonly forkOnly: boolean
}

/** The path on the host, in memory: a reboot removes it. */
const FILE = '/run/provision-test.acct'

/**
 * Returns the processes of logins that ended on hosts of a lab while the body ran, from the kernel's accounting (acct(2)) of each
 * host's own process namespace: sshd's child for a login, and all that it started. Nothing is installed: the system call is made
 * with the perl that each Debian has.
 */
export async function accounted(
  lab: Lab,
  names: readonly string[],
  body: () => Promise<unknown>,
): Promise<ReadonlyMap<string, readonly Accounted[]>> {
  await Promise.all(names.map((name) => quiet(lab, name)))
  for (const name of names) await execOn(lab, name, `: > ${FILE} && ${ACCT} ${FILE}`)
  try {
    await body()
    await Promise.all(names.map((name) => quiet(lab, name)))
  } finally {
    for (const name of names) await execOn(lab, name, `${ACCT} ''`)
  }
  const said = await Promise.all(
    names.map((name) => execOn(lab, name, `cat /run/sshd.pid; base64 -w 0 ${FILE}; rm -f ${FILE}`)),
  )
  return new Map(
    names.map((name, i) => {
      const [sshd, bytes = ''] = (said[i] ?? '').split('\n')
      return [name, below(Number(sshd), records(Buffer.from(bytes, 'base64')))]
    }),
  )
}

/** Waits until no one is logged in: accounting counts the processes of a login at their end. */
async function quiet(lab: Lab, name: string): Promise<void> {
  while ((await lab.exec(name, "ps -eo args= | grep -q '^sshd: [^/]*\\(@\\|\\[\\)'")).code === 0) await sleep(200)
}

async function execOn(lab: Lab, name: string, script: string): Promise<string> {
  const { code, stdout, stderr } = await lab.exec(name, script)
  if (code !== 0) throw new Error(`${name}: ${stderr}`)
  return stdout
}

/** Calls acct(2) by its number on x86_64, and on the newer architectures. An empty name ends the accounting. */
const ACCT = `perl -MConfig -e '$file = shift; $number = $Config{archname} =~ /^x86_64/ ? 163 : 89;
syscall($number, $file eq "" ? 0 : $file) == 0 or die "acct: $!\\n"'`

interface Record extends Accounted {
  readonly pid: number
  readonly parent: number
}

/** Parses struct acct_v3, 64 bytes each; see acct(5). */
function records(bytes: Buffer): readonly Record[] {
  return Array.from({ length: Math.floor(bytes.length / SIZE) }, (_, i) => {
    const record = bytes.subarray(i * SIZE, (i + 1) * SIZE)
    return {
      program: record.toString('latin1', NAME).replace(/\0.*$/s, ''),
      forkOnly: (record.readUInt8(0) & FORKED) !== 0,
      pid: record.readUInt32LE(PID),
      parent: record.readUInt32LE(PID + 4),
    }
  })
}

/** Returns the descendants of a process. */
function below(ancestor: number, all: readonly Record[]): readonly Accounted[] {
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]))
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === ancestor || isBelow(parents.get(pid)))
  return all.filter(({ parent }) => isBelow(parent))
}

const SIZE = 64
const PID = 16
const NAME = 48
/** The flag AFORK. */
const FORKED = 1
