import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'

const ROOT = resolve(import.meta.dirname, '../..')
const PROGRAM = join(ROOT, 'bin/provision.js')
const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

describe('the version of Node.js', () => {
  /** Runs the program with this version in process.versions. */
  const ran = (version: string) => {
    const script = `Object.defineProperty(process.versions, 'node', { value: '${version}' })
process.argv = [process.execPath, 'provision', '--version']
import('${pathToFileURL(PROGRAM).href}')`
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
    return { status, stdout, stderr: stderr.replace(process.execPath, 'NODE') }
  }

  for (const version of ['12.22.12', '18.20.4', '20.18.3'])
    it(`is rejected if too old: ${version}`, () => {
      expect(ran(version)).to.deep.equal({
        status: 64,
        stdout: '',
        stderr: `error: provision requires Node.js 20.19 or later; this is ${version}
   at NODE
   Install a later version (https://nodejs.org/en/download), or put one first in PATH.
`,
      })
    })

  for (const version of ['20.19.0', '21.0.0', '100.1.0'])
    it(`is accepted: ${version}`, () => {
      expect(ran(version)).to.include({ status: 0, stderr: '' })
    })

  it('is that of package.json, and older ones can parse the check: old syntax and no imports', () => {
    expect(ran('1.0.0').stderr).to.include(`Node.js ${engines.node.replace('>=', '')} or later`)
    const text = readFileSync(PROGRAM, 'utf8').replaceAll(/\/\/.*/g, '')
    expect(text).not.to.match(/^\s*(import|export)\b(?!\()|=>|`|\b(let|const|class|await|async)\b|\?\?|\?\./m)
  })
})
