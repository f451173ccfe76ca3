import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { TLSSocket } from 'node:tls'
import { $ } from 'zx'
import { type Debian, downLab, type Lab, type UpOptions, upLab } from '../../src/lab/index.ts'

export const ROOT = resolve(import.meta.dirname, '../..')

/** The reason why real hosts are not available here, in one line; undefined if they are. */
export function noHosts(): string | undefined {
  if (process.platform !== 'linux') return 'real hosts need Linux'
  return process.getuid?.() === 0 ? undefined : 'real hosts need root'
}

/** The default Debian release of test hosts: `DEBIAN=13 npm run test:integration`. */
export const DEBIAN: Debian = process.env['DEBIAN'] === '13' ? 13 : 12

/** Two hosts of each tier, with manual failover. */
export const PAIRS = ['lb1', 'lb2', 'web1', 'web2', 'app1', 'app2', 'db1', 'db2'] as const

export const CODENAME = DEBIAN === 13 ? 'trixie' : 'bookworm'

/** Bare hosts; an existing lab of this name is replaced. */
export async function freshLab(options: UpOptions & { readonly name: string }): Promise<Lab> {
  await downLab(options.name)
  return upLab({ debian: DEBIAN, hosts: PAIRS, ...options })
}

/** True if tests that take minutes run, too: `--all` of scripts/integration.js sets it. */
export const NIGHTLY = process.env['NIGHTLY'] === '1'

export interface Ended {
  readonly code: number
  /** Both streams combined, as in a terminal. */
  readonly text: string
  readonly ms: number
}

/** Runs the command as a user would. @param cwd the working directory, by default the folder of the project */
export async function provision(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd = ROOT,
): Promise<Ended> {
  const began = performance.now()
  const shell = $({
    cwd,
    nothrow: true,
    quiet: true,
    env: { ...process.env, NO_COLOR: '1', ...env },
    timeout: '30m', // for a hanging run; the limit of mocha ends the test earlier
  })
  const { exitCode, stdout, stderr } = await shell`node ${ROOT}/bin/provision.js ${args}`
  return { code: exitCode ?? -1, text: stdout + stderr, ms: performance.now() - began }
}

/** A folder for inventories and playbooks of a test, with access to the packages of the project; `remove` deletes it. */
export class Desk {
  readonly directory = mkdtempSync(join(tmpdir(), 'provision-desk-'))

  constructor() {
    mkdirSync(join(this.directory, 'node_modules'))
    symlinkSync(ROOT, join(this.directory, 'node_modules/provision-ts'))
    symlinkSync(join(ROOT, 'node_modules/@types'), join(this.directory, 'node_modules/@types'))
  }

  write(name: string, text: string): string {
    const path = join(this.directory, name)
    writeFileSync(path, text)
    return path
  }

  remove(): void {
    rmSync(this.directory, { recursive: true })
  }
}

/** The hosts and the folder of one suite. */
export interface OwnLab {
  readonly lab: Lab
  readonly desk: Desk
  /** The arguments that run its `playbook.ts` on its `inventory.ts`. */
  readonly words: (...more: readonly string[]) => readonly string[]
  /** Runs these arguments, with `$LAB` set. */
  readonly run: (more?: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Ended>
}

/**
 * Creates hosts and a folder for the calling suite before its first test, and removes them after its last. Without real
 * hosts the suite is skipped.
 *
 * @param files the files to write into the folder; called when the suite starts
 */
export function ownLab(name: string, hosts: readonly string[], files: () => Readonly<Record<string, string>>): OwnLab {
  let lab: Lab | undefined
  let desk: Desk | undefined
  before(async function () {
    if (noHosts()) return this.skip()
    desk = new Desk()
    lab = await freshLab({ name, hosts })
    for (const [path, text] of Object.entries(files())) desk.write(path, text)
  })
  after(async () => {
    desk?.remove()
    if (!noHosts()) await downLab(name)
  })
  const there = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error('the hosts are there when the first test begins')
    return part
  }
  const words = (...more: readonly string[]) => {
    const { directory } = there(desk)
    return ['--inventory', `${directory}/inventory.ts`, `${directory}/playbook.ts`, '--no-type-check', ...more]
  }
  return {
    get lab() {
      return there(lab)
    },
    get desk() {
      return there(desk)
    },
    words,
    run: (more = [], env = {}) => provision(words(...more), { LAB: name, ...env }),
  }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The serial number of the server's certificate. */
  readonly serial: string
}

export interface Asking {
  readonly method?: string
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  /** @default false: a separate connection */
  readonly agent?: https.Agent | false
  /** Milliseconds without data after which the request fails. @default 10000, which a slow host may need */
  readonly timeout?: number
}

/** Sends a request as a new client on this machine, through the loopback port that leads to the virtual IP. Rejects without an answer. */
export function ask(
  lab: Lab,
  path: string,
  { method = 'GET', body, headers = {}, agent = false, timeout = 10_000 }: Asking = {},
): Promise<Answer> {
  return new Promise((answered, failed) => {
    const request = https.request(
      {
        host: '127.0.0.1',
        port: lab.ports.https,
        servername: 'notes.test',
        ca: readFileSync(join(lab.directory, 'pki/authority.pem')),
        path,
        method,
        agent,
        timeout,
        headers: { host: 'notes.test', 'content-type': 'application/json', ...headers },
      },
      (response) => {
        const { socket } = response
        const serial = socket instanceof TLSSocket ? socket.getPeerCertificate().serialNumber : ''
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () =>
          answered({ status: response.statusCode ?? 0, headers: response.headers, body: text, serial }),
        )
        response.on('error', failed)
      },
    )
    request.on('timeout', () => request.destroy(new Error(`no answer within ${timeout} ms`)))
    request.on('error', failed)
    request.end(body && JSON.stringify(body))
  })
}

/** True if the site answers this path with success. */
export async function answers(lab: Lab, path = '/'): Promise<boolean> {
  return ask(lab, path).then(
    ({ status }) => status === 200,
    () => false,
  )
}

/** The state of a host that an idempotent run must not change: all of /etc, the packages, and the main processes of all services. */
export async function footprint(lab: Lab): Promise<Readonly<Record<string, string>>> {
  const found = await Promise.all(
    lab.hosts.map(async ({ name }) => {
      const { code, stdout, stderr } = await lab.exec(name, FOOTPRINT)
      if (code !== 0) throw new Error(`${name}: ${stderr}`)
      return [name, stdout] as const
    }),
  )
  return Object.fromEntries(found)
}

const FOOTPRINT = `
# One that boots still starts services of its own.
systemctl is-system-running --wait >/dev/null 2>&1
find /etc /srv /usr/local /var/lib/provision -xdev ! -type d -printf '%p %y %m %u %g %T@ %l\\n' | sort | sha256sum
find /etc -xdev -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum
dpkg-query -W -f '\${Package} \${Version} \${Status}\\n' | sha256sum
for unit in $(systemctl list-units --type service --state running --plain --no-legend | awk '{ print $1 }' | grep -vE '^(user@|systemd-(hostnamed|timedated)|getty|console)' | sort); do
  echo "$unit $(systemctl show -p MainPID --value "$unit")"
done`

/** Repeats the call until it returns true; returns the elapsed milliseconds. Throws after ten minutes, more than any slow machine needs. */
export async function eventually(holds: () => Promise<boolean>): Promise<number> {
  const began = performance.now()
  while (performance.now() - began < 600_000) {
    if (await holds()) return performance.now() - began
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error('it did not come true within ten minutes')
}
