import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { isRecord } from '../../model/inventory/fields.ts'
import { Problem } from '../../model/problem.ts'
import { quote } from '../../shell/sh.ts'
import { type Installation, relativePath } from '../load/paths.ts'
import { scaffold, scaffoldedText, templateFiles } from '../scaffold.ts'

/** `provision init`: creates a project. */
export function initCommand(installation: Installation): Command {
  return new Command('init')
    .description('create a project with an inventory, a role, a playbook and tests')
    .argument('[directory]', 'where to create it', '.')
    .addOption(
      new Option(
        '--template <name>',
        'project: a role of your own; web-stack: a site with load balancers and databases',
      )
        .choices(Object.keys(NEXT))
        .default('project'),
    )
    .addHelpText('after', EXAMPLES)
    .action((directory: string, { template }: { readonly template: string }) => {
      const to = resolve(directory)
      const install = installCommand(to, template, installation)
      const next = [install, 'npm test', ...(NEXT[template] ?? [])]
      if (to !== process.cwd()) next.unshift(`cd ${quote(relativePath(to))}`)
      const created = scaffold({ template, to }, installation)
      process.stdout.write(scaffoldedText(created, next))
    })
}

/** The commands after the installation, by template. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  project: ['npx provision --inventory inventory/local.ts --check'],
  'web-stack': ['sudo npx provision lab up', 'npx provision --inventory inventory/lab.ts'],
}

/** In a project with a package.json, the command installs only the missing packages. */
function installCommand(to: string, template: string, installation: Installation): string {
  const path = join(to, 'package.json')
  if (!existsSync(path)) return 'npm install'
  const theirs = packageJson(readFileSync(path, 'utf8'), path)
  const [, text = ''] = templateFiles(template, installation).find(([name]) => name === 'package.json') ?? []
  const ours = packageJson(text, 'package.json')
  const installed = new Set([...names(theirs['dependencies']), ...names(theirs['devDependencies'])])
  const missing = (section: string) => names(ours[section]).filter((name) => !installed.has(name))
  const [packages, tools] = [missing('dependencies'), missing('devDependencies')]
  const test = isRecord(theirs['scripts']) ? theirs['scripts']['test'] : undefined
  const settings = [
    ...(theirs['type'] === 'module' ? [] : ['type=module']),
    ...(typeof test === 'string' && !NPM_INIT_TEST.test(test) ? [] : ['scripts.test=mocha']),
  ]
  const commands = [
    ...(settings.length > 0 ? [`npm pkg set ${settings.join(' ')}`] : []),
    ...(packages.length > 0 ? [`npm install ${packages.join(' ')}`] : []),
    ...(tools.length > 0 ? [`npm install --save-dev ${tools.join(' ')}`] : []),
  ]
  return commands.join(' && ') || 'npm install'
}

/** The test script that `npm init` writes. */
const NPM_INIT_TEST = /no test specified/

function packageJson(text: string, path: string): Readonly<Record<string, unknown>> {
  const content = parsed(text)
  if (isRecord(content)) return content
  throw new Problem(`${relativePath(path)} is not valid JSON`, { next: 'Nothing was created. Fix it first.' })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function names(section: unknown): readonly string[] {
  return isRecord(section) ? Object.keys(section) : []
}

const EXAMPLES = `
Examples:
  provision init                 in this directory
  provision init our-hosts       in a new directory
  provision init --template web-stack our-site`
