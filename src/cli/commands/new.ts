import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { Problem } from '../../model/problem.ts'
import type { Installation } from '../load/load.ts'
import { scaffold, scaffoldedText } from './scaffold.ts'

/** `provision new role NAME`: what a role is made of, with a test. */
export function newCommand(own: Installation): Command {
  return new Command('new').description('make a new part of a project').addCommand(
    new Command('role')
      .description('make a role with its params, a template and a test; overwrites nothing')
      .argument('<name>', 'small letters, digits, dashes: web-cache')
      .addHelpText('after', EXAMPLES)
      .action((name: string) => {
        refuseUnfit(name)
        const { identifier, reworded } = namedAs(name)
        process.stdout.write(
          scaffoldedText(scaffold({ template: 'role', to: resolve('.'), reworded }, own), [
            `in a playbook: import { ${identifier} } from '../roles/${name}/index.ts'`,
            'npm test',
          ]),
        )
      }),
  )
}

function refuseUnfit(name: string): void {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new Problem(`"${name}" is no name for a role`, {
      next: 'Take small letters, digits and dashes, such as web-cache.',
    })
  if (existsSync(`roles/${name}`))
    throw new Problem(`There is a role ${name} already`, {
      where: `roles/${name}`,
      next: 'Take another name.',
    })
}

/** The template's own word `sample` stands for the name: in paths and strings as it is, elsewhere as an identifier. */
function namedAs(name: string) {
  const camel = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
  const identifier = RESERVED.test(camel) ? `${camel}Role` : camel
  const type = camel.charAt(0).toUpperCase() + camel.slice(1)
  return {
    identifier,
    reworded: (text: string) =>
      text.replace(/((?<=['/])sample(?=['/.]))|\bsample\b|\bSample(?=[A-Z])/g, (word, spelt) =>
        spelt ? name : word === 'sample' ? identifier : type,
      ),
  }
}

/** Words that no value can have for a name. */
const RESERVED =
  /^(await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|let|new|null|package|private|protected|public|return|static|super|switch|this|throw|true|try|typeof|var|void|while|with|yield)$/

const EXAMPLES = `
Examples:
  provision new role web-cache     roles/web-cache/index.ts, its template, and test/web-cache.test.ts`
