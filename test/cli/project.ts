import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { execa } from 'execa'
import { temporary } from '../support/rig.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** A project of a user in a temporary directory, with our package installed. */
export class Project {
  readonly directory = temporary()

  constructor(files: Readonly<Record<string, string>> = {}) {
    mkdirSync(join(this.directory, 'node_modules'))
    symlinkSync(ROOT, join(this.directory, 'node_modules/provision-ts'))
    symlinkSync(join(ROOT, 'node_modules/@types'), join(this.directory, 'node_modules/@types'))
    this.write('package.json', '{ "type": "module" }')
    for (const [name, text] of Object.entries(files)) this.write(name, text)
  }

  write(name: string, text: string): string {
    const path = join(this.directory, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return path
  }

  /** Runs the command in the project. */
  async provision(
    ...args: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    const { exitCode, stdout, stderr } = await execa(
      process.execPath,
      [join(ROOT, 'bin/provision.js'), ...args],
      {
        cwd: this.directory,
        env: { NO_COLOR: '1', PROVISION_INVENTORY: undefined },
        reject: false,
        stripFinalNewline: false,
        stdin: 'ignore',
      },
    )
    return { code: exitCode ?? -1, out: stdout, err: stderr }
  }

  remove(): void {
    rmSync(this.directory, { recursive: true })
  }
}
