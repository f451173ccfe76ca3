import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { Problem } from '../../model/problem.ts'
import type { Installation } from '../load/paths.ts'
import { scaffold, scaffoldedText } from '../scaffold.ts'

/** `provision new role NAME`: creates a role with a test. */
export function newCommand(installation: Installation): Command {
  return new Command('new').description('create a part of a project').addCommand(
    new Command('role')
      .description('create a role with params, a template and a test; overwrites no file')
      .argument('<name>', 'lower-case letters, digits and dashes: web-cache')
      .addHelpText('after', EXAMPLES)
      .action((name: string) => {
        assertNewName(name)
        const { identifier, rename } = namesOf(name)
        const created = scaffold({ template: 'role', to: resolve('.'), rename }, installation)
        process.stdout.write(
          scaffoldedText(created, [
            `in a playbook: import { ${identifier} } from '../roles/${name}/index.ts'`,
            'npm test',
          ]),
        )
      }),
  )
}

function assertNewName(name: string): void {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new Problem(`"${name}" is not a valid name for a role`, {
      next: 'Use lower-case letters, digits and dashes, for example web-cache.',
    })
  if (existsSync(`roles/${name}`))
    throw new Problem(`The role ${name} exists`, { where: `roles/${name}`, next: 'Use another name.' })
}

/** In the template, `sample` is the name: as it is in paths and strings, as an identifier elsewhere. */
function namesOf(name: string) {
  const camel = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
  const identifier = RESERVED.test(camel) ? `${camel}Role` : camel
  const type = camel.charAt(0).toUpperCase() + camel.slice(1)
  return {
    identifier,
    rename: (text: string) =>
      text.replace(/((?<=['/])sample(?=['/.]))|\bsample\b|\bSample(?=[A-Z])/g, (word, inPath) =>
        inPath ? name : word === 'sample' ? identifier : type,
      ),
  }
}

/** Reserved words of the language. */
const RESERVED =
  /^(await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|let|new|null|package|private|protected|public|return|static|super|switch|this|throw|true|try|typeof|var|void|while|with|yield)$/

const EXAMPLES = `
Examples:
  provision new role web-cache     roles/web-cache/index.ts, its template, and test/web-cache.test.ts`
