import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../integration/support.ts'

/**
 * Copies the project into a folder, where tests can run it and break releases, settings and templates of roles. Its playbooks use the copy
 * of the stack.
 */
export function copyProject(directory: string): void {
  for (const part of ['playbooks', 'stack', 'roles', 'inventory', 'Vagrantfile', 'examples/notes-api/dist'])
    cpSync(join(ROOT, part), join(directory, part), { recursive: true })
  for (const folder of ['playbooks', 'inventory'])
    for (const name of readdirSync(join(directory, folder))) {
      const path = join(directory, folder, name)
      writeFileSync(path, readFileSync(path, 'utf8').replace("'provision-ts/stack'", "'../stack/index.ts'"))
    }
  mkdirSync(join(directory, 'node_modules'))
  symlinkSync(ROOT, join(directory, 'node_modules/provision-ts'))
  symlinkSync(join(ROOT, 'node_modules/execa'), join(directory, 'node_modules/execa'))
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
}
