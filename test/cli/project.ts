import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
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
  provision(
    ...args: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    const { PROVISION_INVENTORY: _unset, ...env } = process.env
    return new Promise((done) => {
      const child = execFile(
        process.execPath,
        [join(ROOT, 'bin/provision.js'), ...args],
        { cwd: this.directory, env: { ...env, NO_COLOR: '1' } },
        (_error, out, err) => done({ code: child.exitCode ?? -1, out, err }),
      )
    })
  }

  remove(): void {
    rmSync(this.directory, { recursive: true })
  }
}
