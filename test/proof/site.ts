import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { downLab, type Lab, type UpOptions, upLab } from '../../src/lab/index.ts'
import { freshLab, ROOT } from '../integration/support.ts'
import { copyProject } from '../support/project-copy.ts'
import { keepRuns } from '../support/results.ts'
import { type Target, targetOf } from './load.ts'

export interface Ended {
  readonly code: number
  readonly text: string
  readonly seconds: number
}

/** The whole site on its own hosts, with a copy of the project, so that tests can break releases and settings. */
export class Site {
  #lab: Lab
  /** The folder of the copy. */
  readonly directory = mkdtempSync(join(tmpdir(), 'provision-proof-'))

  private constructor(lab: Lab) {
    this.#lab = lab
    copyProject(this.directory)
  }

  /** @param kept true to use an existing lab of that name as it is, without the other options */
  static async up(name: string, { kept, ...options }: UpOptions & { readonly kept: boolean }): Promise<Site> {
    return new Site(await (kept ? upLab({ name }) : freshLab({ ...options, name })))
  }

  /** Uses an existing lab. */
  static of(lab: Lab): Site {
    return new Site(lab)
  }

  get lab(): Lab {
    return this.#lab
  }

  /** The target of clients. */
  get client(): Target {
    return { ...targetOf(this.#lab, this.directory), stored: (run) => this.stored(run) }
  }

  /** Replaces all hosts with bare ones. */
  async renew(): Promise<void> {
    this.#lab = await freshLab({ name: this.#lab.name })
  }

  async down({ keep }: { readonly keep: boolean }): Promise<void> {
    keepRuns(this.directory)
    rmSync(this.directory, { recursive: true })
    if (!keep) await downLab(this.lab.name)
  }

  /** Runs the command as a user does. */
  async provision(...words: readonly string[]): Promise<Ended> {
    const began = performance.now()
    const { exitCode = -1, all } = await this.#command(words)
    return { code: exitCode, text: all, seconds: (performance.now() - began) / 1000 }
  }

  /**
   * Runs the command, and kills it while it applies a step of this play.
   *
   * @throws Error if the run ends before
   */
  async killed(play: string, ...words: readonly string[]): Promise<void> {
    const run = this.#command([...words, '--output', 'json'])
    for await (const line of run.iterable({ from: 'stdout' })) {
      if (!line.includes('"kind":"applying"') || !line.includes(`"play":"${play}"`)) continue
      run.kill('SIGKILL')
      break
    }
    const { signal, all } = await run
    if (signal !== 'SIGKILL') throw new Error(`The run ended before a step of “${play}”:\n${all.slice(-3_000)}`)
  }

  #command(words: readonly string[]) {
    return execa(
      process.execPath,
      [join(ROOT, 'bin/provision.js'), ...words, '--inventory', 'inventory/lab.ts', '--no-type-check'],
      {
        cwd: this.directory,
        env: { LAB: this.lab.name, NO_COLOR: '1' },
        all: true,
        reject: false,
        // Only a guard against hanging: a first run on hosts with 5 % of a core takes many minutes.
        timeout: 3_600_000,
      },
    )
  }

  /** @throws Error if the status is not 0 */
  async must(...words: readonly string[]): Promise<Ended> {
    const ended = await this.provision(...words)
    if (ended.code !== 0)
      throw new Error(`provision ${words.join(' ')} ended with ${ended.code}:\n${ended.text.slice(-3_000)}`)
    return ended
  }

  has(playbook: string): boolean {
    return existsSync(join(this.directory, `playbooks/${playbook}.ts`))
  }

  /** Waits until all checks pass. @throws Error with the table otherwise */
  async healthy(within: `${number}s` = '120s'): Promise<number> {
    const { code, text, seconds } = await this.provision('verify', '--within', within)
    if (code !== 0) throw new Error(`not healthy within ${within}:\n${failing(text)}`)
    return seconds
  }

  /** Changes a file of the copy. Returns a function that restores it. */
  edit(path: string, change: (text: string) => string): () => void {
    const full = join(this.directory, path)
    const before = readFileSync(full, 'utf8')
    writeFileSync(full, change(before))
    return () => writeFileSync(full, before)
  }

  async on(host: string, command: string): Promise<string> {
    const { code, stdout, stderr } = await this.lab.exec(host, command)
    if (code !== 0) throw new Error(`${host}: ${command}: ${stderr || stdout}`)
    return stdout.trim()
  }

  /** Returns the balancer that has the address, and the other one. */
  async balancers(): Promise<{ readonly holder: string; readonly other: string }> {
    const held = await this.on('lb1', `ip -4 addr show | grep -cF ${this.lab.vip}/ || true`)
    return held === '1' ? { holder: 'lb1', other: 'lb2' } : { holder: 'lb2', other: 'lb1' }
  }

  /** Waits for a primary that is starting. @throws Error if there is no primary for half a minute */
  async databases(): Promise<{ readonly primary: string; readonly replica: string }> {
    for (let tries = 0; tries < 60; tries++) {
      const [db1, db2] = await Promise.all(['db1', 'db2'].map((host) => this.#isPrimary(host)))
      if (db1) return { primary: 'db1', replica: 'db2' }
      if (db2) return { primary: 'db2', replica: 'db1' }
      await new Promise((done) => setTimeout(done, 500))
    }
    throw new Error('no host is the primary')
  }

  async #isPrimary(host: string): Promise<boolean> {
    return this.query(host, 'select pg_is_in_recovery()', 'postgres').then(
      (said) => said === 'f',
      () => false,
    )
  }

  /** Returns the releases of Debian and of the programs of the databases. */
  async versions(): Promise<string> {
    return this.on(
      'db1',
      `printf 'Debian %s' "$(cat /etc/debian_version)"
dpkg-query -W -f '\${db:Status-Abbrev} \${Package} \${Version}\\n' 'postgresql-[0-9]*' patroni etcd-server 2>/dev/null | sed -n 's/^ii *//p' | while read -r name version; do printf ', %s %s' "$name" "$version"; done`,
    )
  }

  query(host: string, sql: string, database = 'notes'): Promise<string> {
    const psql = `cd / && setpriv --reuid postgres --regid postgres --init-groups psql -XAtq -d ${database}`
    return this.on(host, `${psql} -c "${sql}"`)
  }

  /** Returns the keys of a run that are in the database, and removes them there. */
  async stored(run: string): Promise<ReadonlySet<string>> {
    const { primary } = await this.databases()
    const like = `idempotency_key like '${run}-%'`
    const keys = await this.query(primary, `select idempotency_key from notes.note where ${like}`)
    await this.query(primary, `set synchronous_commit = local; delete from notes.note where ${like}`)
    return new Set(keys.split('\n'))
  }
}

/** Restores the site after a failure, so that it does not affect the next rows. */
export async function fixed(site: Site): Promise<void> {
  await upLab({ name: site.lab.name })
  await site.healthy().catch(async () => {
    await site.provision()
    await site.healthy()
  })
}

/** Returns the rows of a table that do not pass, with their messages. */
function failing(text: string): string {
  const lines = text.split('\n')
  return lines
    .filter((line, i) => / (failed|not known)\b/.test(line) || /^ {4}\S/.test(line) || i >= lines.length - 2)
    .join('\n')
}
