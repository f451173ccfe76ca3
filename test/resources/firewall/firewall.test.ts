import { expect } from 'chai'
import { firewall } from 'provision-ts'
import { InvalidParams } from '../../../src/model/problem.ts'
import { lockoutCheck } from '../../../src/resources/firewall/firewall.ts'
import { type FirewallRule, ingressOf, ruleset } from '../../../src/resources/firewall/ruleset.ts'

const chain = (rules: readonly FirewallRule[]) =>
  ruleset(rules)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.endsWith('accept'))
    .slice(-rules.length)

describe('firewall', () => {
  it('accepts the sources of its rules and drops all others', () => {
    const text = ruleset([{ port: 5432, from: [{ address: '10.0.2.1' }] }])
    expect(text).to.include('ip saddr { 10.0.2.1 } tcp dport { 5432 } accept').and.to.include('policy drop;')
  })

  it('has a rule for each IP version of the sources', () => {
    const from = [{ address: 'fd00::1' }, { address: '10.0.0.1' }]
    const lines = ruleset([{ port: 80, from }]).match(/^.*\{ 80 \}.*$/gm)
    expect(lines?.map((line) => line.trim())).to.deep.equal([
      'ip saddr { 10.0.0.1 } tcp dport { 80 } accept',
      'ip6 saddr { fd00::1 } tcp dport { 80 } accept',
    ])
  })

  it('accepts no source for an empty list', () => {
    expect(ruleset([{ port: 5432, from: [] }])).to.equal(ruleset([]))
  })

  it('takes ports that are open to all, and VRRP from a peer', () => {
    expect(
      chain([
        { port: [443, 80, 443], from: 'anywhere' },
        { protocol: 'vrrp', from: [{ address: '10.0.0.2' }] },
      ]),
    ).to.deep.equal(['tcp dport { 80, 443 } accept', 'ip saddr { 10.0.0.2 } meta l4proto 112 accept'])
  })

  it('takes UDP, ranges and a rate of new connections', () => {
    expect(
      chain([
        { port: 53, protocol: 'udp', from: [{ address: 'fd00::/8' }] },
        { port: ['8000-8100', 80], from: 'anywhere' },
        { port: 2222, from: 'anywhere', rate: '10/minute' },
      ]),
    ).to.deep.equal([
      'ip6 saddr { fd00::/8 } udp dport { 53 } accept',
      'tcp dport { 80, 8000-8100 } accept',
      'tcp dport { 2222 } ct state new limit rate 10/minute accept',
    ])
    for (const port of ['8100-8000', '0-5', '1-2-3', '5-70000', 'x'] as unknown as readonly `${number}-${number}`[])
      expect(() => ruleset([{ port, from: 'anywhere' }]), port).to.throw(
        TypeError,
        `firewall: ${port} is not a port from 1 to 65535 or a range such as 8000-8100`,
      )
    expect(() => ruleset([{ port: 1, from: 'anywhere', rate: '0/minute' }])).to.throw(
      TypeError,
      'firewall: "0/minute" is not a rate such as 10/minute',
    )
    expect(ingressOf({ port: ['8000-8100', 53], protocol: 'udp', from: 'anywhere' })).to.deep.equal({
      ...{ to: ['8000-8100/udp', '53/udp'], from: 'anywhere' },
    })
  })

  it('lists the outgoing traffic, of both IP versions', () => {
    expect(ruleset([])).not.to.include('chain output')
    const outgoing = [
      { port: 53, protocol: 'udp', to: 'anywhere' },
      { port: [443, '8000-8100'], to: [{ address: '10.0.0.0/8' }, { address: 'fd00::1' }] },
      { port: 25, to: [] },
    ] as const
    const [, text = ''] = ruleset([{ port: 80, from: 'anywhere' }], { outgoing }).split('chain output {')
    const lines = text.split('\n').map((line) => line.trim())
    expect(lines).to.include('type filter hook output priority filter; policy drop;')
    expect(lines.slice(7)).to.deep.equal([
      'udp dport { 53 } accept',
      'ip daddr { 10.0.0.0/8 } tcp dport { 443, 8000-8100 } accept',
      'ip6 daddr { fd00::1 } tcp dport { 443, 8000-8100 } accept',
      '}',
      '}',
      '',
    ])
    expect(() => ruleset([], { outgoing: [{ port: 0, to: 'anywhere' }] })).to.throw(TypeError, 'firewall: 0 is not')
  })

  it('has the same text for each order of the hosts', () => {
    const [a, b] = [{ address: '10.0.0.1' }, { address: '10.0.0.2' }]
    expect(ruleset([{ port: 1, from: [a, b] }])).to.equal(ruleset([{ port: 1, from: [b, a, b] }]))
  })

  it('does not change other tables', () => {
    expect(ruleset([])).not.to.include('flush')
    expect(ruleset([]).match(/^(delete )?table .*$/gm)).to.deep.equal([
      'table inet provision',
      'delete table inet provision',
      'table inet provision {',
    ])
  })

  it('restricts ssh to networks of both IP versions', () => {
    const text = ruleset([], { ssh: ['10.0.0.0/8', 'fd00::/8', '192.0.2.1'], sshPort: 2222 })
    expect(text).to.include('elements = { 10.0.0.0/8, 192.0.2.1 }').and.to.include('elements = { fd00::/8 }')
    expect(text)
      .to.include('elements = { 2222 }')
      .and.not.to.match(/^\s*tcp dport @ssh_ports accept$/m)
  })

  it('rejects networks for ssh that do not contain the client address of this machine', () => {
    const checked = (own: string | undefined, from: readonly string[]) => () => lockoutCheck({ from }).diff(own)
    expect(checked('10.1.2.3', ['192.168.0.0/16', '10.0.0.0/8'])).to.not.throw()
    expect(checked('10.1.2.3', ['10.1.2.3'])).to.not.throw()
    expect(checked('fd00::5', ['10.0.0.0/8', 'fd00::/8'])).to.not.throw()
    expect(checked(undefined, ['10.0.0.0/8']), 'not over ssh').to.not.throw()
    expect(checked('10.1.2.3', ['10.1.3.0/24', 'fd00::/8'])).to.throw(
      InvalidParams,
      'lock out this machine, which connects from 10.1.2.3',
    )
    expect(checked('fd00::5', [])).to.throw(InvalidParams, 'connects from fd00::5')
  })

  it('rejects sources and ports that would be read as a part of the ruleset', () => {
    const evil = '10.0.0.1 } accept; #'
    const source = `${JSON.stringify(evil)} is neither a network such as 10.0.0.0/8 nor an address`
    expect(() => firewall([{ port: 80, from: [{ address: evil }] }])).to.throw(TypeError, `firewall: ${source}`)
    expect(() => firewall([], { ssh: [evil] })).to.throw(TypeError, `firewall: ssh: ${source}`)
    for (const [port, text] of [
      [0, '0'],
      [[], 'an empty list'],
    ] as const)
      expect(() => firewall([{ port, from: 'anywhere' }])).to.throw(
        TypeError,
        `firewall: ${text} is not a port from 1 to 65535`,
      )
  })
})
