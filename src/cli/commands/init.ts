import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { isRecord } from '../../model/inventory/fields.ts'
import { Problem } from '../../model/problem.ts'
import { quote } from '../../shell/quote.ts'
import { type Installation, relativePath } from '../load/load.ts'
import { scaffold, scaffoldedText, templateFiles } from './scaffold.ts'

/** `provision init`: a small project that runs at once. */
export function initCommand(own: Installation): Command {
  return new Command('init')
    .description('make a small project here: inventory, role, playbook, tests; overwrites nothing')
    .argument('[directory]', 'where, when not here', '.')
    .addHelpText('after', EXAMPLES)
    .action((directory: string) => {
      const to = resolve(directory)
      const install = installing(to, own)
      const next = [install, 'npm test', 'npx provision --inventory inventory/local.ts --check']
      if (to !== process.cwd()) next.unshift(`cd ${quote(relativePath(to))}`)
      process.stdout.write(scaffoldedText(scaffold({ template: 'project', to }, own), next))
    })
}

/** How the project gets its packages; with a package.json of its own, what that one lacks. */
function installing(to: string, own: Installation): string {
  const path = join(to, 'package.json')
  if (!existsSync(path)) return 'npm install'
  const theirs = packageJson(readFileSync(path, 'utf8'), path)
  const [, text = ''] = templateFiles('project', own).find(([name]) => name === 'package.json') ?? []
  const ours = packageJson(text, 'package.json')
  const has = new Set([...names(theirs['dependencies']), ...names(theirs['devDependencies'])])
  const lacking = (part: string) => names(ours[part]).filter((name) => !has.has(name))
  const [needed, tools] = [lacking('dependencies'), lacking('devDependencies')]
  const test = isRecord(theirs['scripts']) ? theirs['scripts']['test'] : undefined
  const set = [
    ...(theirs['type'] === 'module' ? [] : ['type=module']),
    ...(typeof test === 'string' && !NO_TEST.test(test) ? [] : ['scripts.test=mocha']),
  ]
  const commands = [
    ...(set.length > 0 ? [`npm pkg set ${set.join(' ')}`] : []),
    ...(needed.length > 0 ? [`npm install ${needed.join(' ')}`] : []),
    ...(tools.length > 0 ? [`npm install --save-dev ${tools.join(' ')}`] : []),
  ]
  return commands.join(' && ') || 'npm install'
}

/** What `npm init` writes there. */
const NO_TEST = /no test specified/

function packageJson(text: string, path: string): Readonly<Record<string, unknown>> {
  try {
    const given: unknown = JSON.parse(text)
    if (isRecord(given)) return given
  } catch {
    // Said below.
  }
  throw new Problem(`${relativePath(path)} is not JSON`, { next: 'Nothing was made yet. Mend it first.' })
}

function names(part: unknown): readonly string[] {
  return isRecord(part) ? Object.keys(part) : []
}

const EXAMPLES = `
Examples:
  provision init                 in this directory
  provision init our-hosts       in a new one`
