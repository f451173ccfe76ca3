import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { graphSvg } from '../../../src/report/graph/svg.ts'
import { graphMermaid, graphText } from '../../../src/report/graph/text.ts'
import { topologyOf } from '../../../src/report/graph/topology.ts'
import { Project } from '../../cli/project.ts'

const ROOT = resolve(import.meta.dirname, '../../..')

describe('the topology', () => {
  const host = (name: string, group: string, address: string) => ({ name, group, address })

  it('has the connections that hosts allow, with clients before servers', () => {
    const topology = topologyOf([
      { ...host('db1', 'db', '10.0.0.4'), admits: [{ to: [5432], from: ['10.0.0.3'] }] },
      {
        ...host('app1', 'app', '10.0.0.3'),
        admits: [
          { to: [3000], from: ['10.0.0.1', '10.0.0.2'] },
          { to: [9464], from: ['10.9.0.0/16'] },
        ],
      },
      {
        ...host('lb1', 'lb', '10.0.0.1'),
        admits: [
          { to: [80, 443], from: 'anywhere' },
          { to: 'vrrp', from: ['10.0.0.2'] },
        ],
      },
      {
        ...host('lb2', 'lb', '10.0.0.2'),
        admits: [
          { to: [80, 443], from: 'anywhere' },
          { to: 'vrrp', from: ['10.0.0.1'] },
        ],
      },
    ])
    expect(topology.tiers.map(({ name }) => name)).to.deep.equal(['lb', 'app', 'db'])
    expect(topology.links).to.deep.equal([
      { from: 'app', to: 'db', over: '5432' },
      { from: 'lb', to: 'app', over: '3000' },
      { from: '10.9.0.0/16', to: 'app', over: '9464' },
      { from: 'anywhere', to: 'lb', over: '80, 443' },
      { from: 'lb', to: 'lb', over: 'VRRP' },
    ])
  })

  it('may have a cycle', () => {
    const { tiers } = topologyOf([
      { ...host('b1', 'b', '10.0.0.2'), admits: [{ to: [2], from: ['10.0.0.1'] }] },
      { ...host('a1', 'a', '10.0.0.1'), admits: [{ to: [1], from: ['10.0.0.2'] }] },
    ])
    expect(tiers.map(({ name }) => name)).to.have.members(['a', 'b'])
  })

  it('escapes names in SVG and Mermaid', () => {
    const name = `a"<b>&'c`
    const topology = topologyOf([{ ...host(name, name, '10.0.0.1'), admits: [{ to: [80], from: 'anywhere' }] }])
    const drawing = { topology, plays: [{ label: name, on: name, how: '' }] }
    expect(graphSvg(drawing)).to.include('a&#34;&#60;b&#62;&#38;&#39;c').and.not.to.include('<b>')
    expect(graphMermaid(drawing)).to.include('["a#34;#60;b#62;#38;\'c"]').and.not.to.include('<b>')
  })

  it('lists only some names of a large tier', () => {
    const topology = topologyOf(Array.from({ length: 100 }, (_, i) => host(`web${i + 1}`, 'web', `10.0.0.${i}`)))
    expect(graphText({ topology, plays: [] })).to.include('web1, web2, web3, web4, web5, web6, … web100 (100 hosts)')
  })
})

describe('provision graph', () => {
  const inventory = join(ROOT, 'test/report/graph/stack-inventory.ts')
  let project: Project
  before(() => {
    project = new Project()
  })
  after(() => project.remove())

  const graph = async (...words: readonly string[]) => {
    const { code, out, err } = await project.provision(
      'graph',
      join(ROOT, 'playbooks/site.ts'),
      '--inventory',
      inventory,
      ...words,
    )
    expect(code, err).to.equal(0)
    return out
  }

  it('prints tiers and plays as text', async () => {
    expect(await graph()).to.match(
      /^Tiers and their allowed connections\n {2}lb {6}lb1, lb2 {4}80, 443 from anywhere; VRRP within the tier\n {2}web {5}web1, web2 {2}8080 from lb\n {2}app {5}app1, app2 {2}3000 from web\n/,
    )
    expect(await graph()).to.match(/\n {2}\d+ {2}balancers +lb +one at a time\n$/)
  })

  it('prints Mermaid', async () => {
    expect(await graph('--format', 'mermaid'))
      .to.match(/^flowchart TB\n/)
      .and.include('outside0 -->|"80, 443"| tier0')
  })

  it('prints docs/stack.svg: provision graph --inventory test/report/graph/stack-inventory.ts --format svg --out docs/stack.svg', async () => {
    expect(await graph('--format', 'svg')).to.equal(readFileSync(join(ROOT, 'docs/stack.svg'), 'utf8'))
  })
})
