import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT } from './files.ts'

/** The sample application, its unit, its database, its paths on hosts and in its API. */
const NAMES =
  /notes-api|notes_owner|whoami|\/(?:srv|etc|api)\/notes|\bnotes\.(?:service|test|example|note)\b|['"`]notes['"`]|\bnotes\/\w+['"`]|--unit notes/

describe('the sample application', () => {
  it('is known to the inventories and the examples only', () => {
    const named = ['roles', 'stack', 'playbooks', 'src', 'templates'].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
        .map(({ parentPath, name }) => join(parentPath, name))
        .flatMap((path) =>
          readFileSync(path, 'utf8')
            .split('\n')
            .flatMap((line, i) =>
              NAMES.test(line) ? [`${path.slice(ROOT.length + 1)}:${i + 1}: ${line.trim()}`] : [],
            ),
        ),
    )
    expect(named).to.deep.equal([])
  })

  it('would be found', () => {
    for (const line of ["service('notes')", 'stop /srv/notes', 'GET /api/whoami', "user: 'notes_owner'"])
      expect(NAMES.test(line), line).to.equal(true)
    for (const line of ['const notes: string[] = []', 'with notes of the release'])
      expect(NAMES.test(line)).to.equal(false)
  })
})
