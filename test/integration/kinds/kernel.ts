import { api, type Generator } from './api.ts'

/** Kernel settings, some of which change others; all belong to the network namespace of the host. */
export const settings: Generator = (dice, site) => {
  const keys = [
    'net.ipv4.ip_forward',
    'net.ipv4.conf.all.accept_redirects',
    'net.ipv4.conf.all.forwarding',
    'net.ipv4.tcp_fin_timeout',
    'net/ipv4/conf/all/rp_filter',
    'net.ipv4.ip_local_port_range',
  ]
  const value = (key: string) =>
    key.includes('range')
      ? dice.one('32768 60999', '20000\t50000')
      : key.includes('fin')
        ? dice.one(25, 60)
        : dice.one(0, 1)
  const forwarding = dice.one(0, 1)
  const one = (chosen: readonly string[]) =>
    Object.fromEntries(chosen.map((key) => [key, /forward/.test(key) ? forwarding : value(key)]))
  const found = dice
    .some(keys)
    .map((key) => `sysctl -qw ${key.replaceAll('/', '.')}='${value(key)}'`)
    .concat(
      'rm -f /etc/sysctl.d/60-kinds-two.conf',
      dice.one(':', 'rm -f /etc/sysctl.d/60-kinds-one.conf', 'echo "# by hand" >> /etc/sysctl.d/60-kinds-one.conf'),
    )
  const cut = 1 + dice.below(keys.length - 1)
  const order = dice.merged(keys.map((key) => [key]))
  return {
    found: found.join('\n'),
    steps: [
      api.sysctl('kinds-one', one(order.slice(0, cut)), site.options()),
      ...(dice.maybe() ? [api.sysctl('kinds-two', one(order.slice(cut)), site.options())] : []),
    ],
  }
}

/** A firewall that accepts the test machine, after changes by an operator, a program or a boot. */
export const firewalls: Generator = (dice, _site) => ({
  found: dice.one(
    ':',
    'nft delete table inet provision',
    'nft add rule inet provision input tcp dport 99 accept',
    'rm -f /run/provision-firewall',
    'echo "# by hand" >> /etc/nftables.d/provision.nft',
    'systemctl disable --now provision-firewall.service',
    'rm -f /etc/systemd/system/provision-firewall.service',
  ),
  steps: [
    api.firewall(
      [
        {
          port: dice.one<number | number[]>(80, [80, 443]),
          from: dice.one<'anywhere' | { address: string }[]>('anywhere', [{ address: '198.18.0.0/24' }]),
        },
      ],
      dice.one({}, { ssh: ['0.0.0.0/0'] }),
    ),
  ],
})
