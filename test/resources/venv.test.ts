import { expect } from 'chai'
import { Problem } from '../../src/model/problem.ts'
import { venv } from '../../src/resources/downloads/venv.ts'
import { parsed } from './parsed.ts'

const OPTIONS = { requirements: 'tool==1.0\n' }

describe('an environment of Python', () => {
  it('rejects invalid paths and owners', () => {
    expect(() => venv('relative' as '/x', OPTIONS)).to.throw(TypeError, 'venv relative')
    expect(() => venv('/opt/venv', { ...OPTIONS, owner: 'a b' })).to.throw(TypeError, '"a b" is not the name of a user')
  })

  it('is read with its origin, its interpreter, and the trace of a killed run', () => {
    const read = venv('/opt/venv', OPTIONS).read
    const state = (line: string) => {
      const [, found] = parsed(read, '', line) as readonly [unknown, object]
      return found
    }
    expect(state('abc owner=root||yes')).to.deep.equal({ mark: 'abc owner=root', isUnfinished: false, hasPython: true })
    expect(state('|yes|')).to.deep.equal({ mark: undefined, isUnfinished: true, hasPython: false })
  })

  it('does not replace a directory of another origin', () => {
    const have = [{ type: 'directory' }, { mark: undefined, isUnfinished: false, hasPython: false }]
    expect(() => venv('/opt/venv', OPTIONS).diff(have)).to.throw(
      Problem,
      '/opt/venv is not an environment that venv has made',
    )
  })

  it('explains a missing package and a requirement that no index has', () => {
    const [command] = venv('/opt/venv', OPTIONS).apply(undefined)
    expect(command?.explain?.('The virtual environment was not created: ensurepip is not available')?.what).to.equal(
      'the package python3-venv is not installed',
    )
    expect(command?.explain?.('ERROR: No matching distribution found for tool==9')?.what).to.equal(
      'no index has tool==9',
    )
    expect(command?.explain?.('killed')).to.equal(undefined)
  })
})
