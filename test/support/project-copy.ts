import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../integration/support.ts'

/** Copies the parts of the project that users have into a folder, where tests can run it and break releases and settings. */
export function copyProject(directory: string): void {
  for (const part of ['playbooks', 'roles', 'inventory', 'Vagrantfile', 'examples/notes-api/dist'])
    cpSync(join(ROOT, part), join(directory, part), { recursive: true })
  mkdirSync(join(directory, 'node_modules'))
  symlinkSync(ROOT, join(directory, 'node_modules/provision-ts'))
  symlinkSync(join(ROOT, 'node_modules/execa'), join(directory, 'node_modules/execa'))
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
}
