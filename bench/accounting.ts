import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from '../src/lab/index.ts'

/** A process of a host that has ended. */
export interface Accounted {
  /** The name of its program, at most 15 characters. */
  readonly program: string
  /** Whether it was forked and has started no program of its own. */
  readonly forkOnly: boolean
}

/** On the host, in memory: a boot removes it. */
const FILE = '/run/provision-bench.acct'

/**
 * The processes that ended on a host of a lab while the body ran, by the kernel's accounting (acct(2)) of the host's own process
 * namespace. Nothing is installed for it: the system call is made with the perl that each Debian has.
 */
export async function accounted(
  lab: Lab,
  names: readonly string[],
  body: () => Promise<unknown>,
): Promise<ReadonlyMap<string, readonly Accounted[]>> {
  await Promise.all(names.map((name) => quiet(lab, name)))
  for (const name of names) await told(lab, name, `: > ${FILE} && ${ACCT} ${FILE}`)
  try {
    await body()
    await Promise.all(names.map((name) => quiet(lab, name)))
  } finally {
    for (const name of names) await told(lab, name, `${ACCT} ''`)
  }
  const files = await Promise.all(names.map((name) => told(lab, name, `base64 ${FILE}; rm -f ${FILE}`)))
  return new Map(names.map((name, i) => [name, records(Buffer.from(files[i] ?? '', 'base64'))]))
}

/** Nobody is logged in: the processes of a login are counted when they end. */
async function quiet(lab: Lab, name: string): Promise<void> {
  while ((await lab.exec(name, "ps -eo args= | grep -q '^sshd: [^/]*\\(@\\|\\[\\)'")).code === 0)
    await sleep(200)
}

async function told(lab: Lab, name: string, script: string): Promise<string> {
  const { code, stdout, stderr } = await lab.exec(name, script)
  if (code !== 0) throw new Error(`${name}: ${stderr}`)
  return stdout
}

/** The number of acct(2) on x86_64, and on the newer architectures. An empty name ends the accounting. */
const ACCT = `perl -MConfig -e '$file = shift; $number = $Config{archname} =~ /^x86_64/ ? 163 : 89;
syscall($number, $file eq "" ? 0 : $file) == 0 or die "acct: $!\\n"'`

/** struct acct_v3, 64 bytes each; acct(5). */
function records(bytes: Buffer): readonly Accounted[] {
  const all: Accounted[] = []
  for (let at = 0; at + SIZE <= bytes.length; at += SIZE) {
    const name = bytes.toString('latin1', at + NAME, at + SIZE)
    all.push({ program: name.slice(0, name.indexOf('\0')), forkOnly: ((bytes[at] ?? 0) & FORKED) !== 0 })
  }
  return all
}

const SIZE = 64
const NAME = 48
/** AFORK. */
const FORKED = 1
