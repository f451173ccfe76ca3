import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { downLab, type Lab, upLab } from '../src/lab/index.ts'

const NAME = 'bench'
const NAMES = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8']

/** The hosts of all measurements, and a folder for files about them. */
export class Site {
  readonly folder = mkdtempSync(join(tmpdir(), 'provision-bench-'))
  lab: Lab
  #names: readonly string[] = NAMES

  private constructor(lab: Lab) {
    this.lab = lab
  }

  static async up(): Promise<Site> {
    const site = new Site(await fresh())
    await site.#prepare()
    return site
  }

  /** Creates new hosts with only the requirements of the other tools. */
  async renew(): Promise<void> {
    this.lab = await fresh()
    await this.#prepare()
  }

  async down(): Promise<void> {
    rmSync(this.folder, { recursive: true })
    await downLab(NAME)
  }

  get names(): readonly string[] {
    return this.#names
  }

  /** Sets the number of hosts. */
  use(count: number): void {
    this.#names = NAMES.slice(0, count)
    this.#write()
  }

  /** Adds a round trip time to all hosts. */
  async delay(ms: number): Promise<void> {
    await Promise.all(this.lab.hosts.map(({ name }) => this.lab.delay(name, ms)))
  }

  readonly path = (name: string): string => {
    return join(this.folder, name)
  }

  write(name: string, text: string): string {
    writeFileSync(this.path(name), text)
    return this.path(name)
  }

  /** Returns the output on each host, as root and without ssh. */
  async everywhere(script: string): Promise<readonly string[]> {
    return Promise.all(
      this.#names.map(async (name) => {
        const { code, stdout, stderr } = await this.lab.exec(name, script)
        if (code !== 0) throw new Error(`${name}: ${stderr}`)
        return stdout
      }),
    )
  }

  async #prepare(): Promise<void> {
    this.#write()
    await this.everywhere(PEERS_NEED)
  }

  #write(): void {
    const own = this.#names.map((name) => this.lab.host(name))
    const hosts = Object.fromEntries(own.map(({ name, address, ssh }) => [name, { address, ssh }]))
    this.write('hosts.json', JSON.stringify(hosts))
    this.write('hosts.ini', ['[machines]', ...this.#names, ''].join('\n'))
    this.write('hosts.txt', this.#names.join('\n'))
  }
}

async function fresh(): Promise<Lab> {
  await downLab(NAME)
  return upLab({ name: NAME, hosts: NAMES })
}

/** Ansible's modules need Python on the hosts. It is installed before the measurement, for all tools. */
const PEERS_NEED = `export DEBIAN_FRONTEND=noninteractive
{ apt-get -q update && apt-get -q -y install --no-install-recommends python3 python3-apt; } >/dev/null 2>&1`
