import { randomInt } from 'node:crypto'

/** A program of the nightly run. Each has its own folder `$RESULTS`. */
export interface Part {
  readonly name: string
  readonly about: string
  readonly command: readonly [string, ...string[]]
  readonly env?: Readonly<Record<string, string>>
  /** The time limit in minutes. */
  readonly limit: number
  /** True if the exit status is the only result of the program. @default false */
  readonly silent?: boolean
}

/** The seed of random tests: a different one each night. */
const SEED = process.env['SEED'] ?? String(randomInt(1_000_000))

/** The number of random sites with each kind of step; 6 by day. */
const KINDS_ROUNDS = process.env['KINDS_ROUNDS'] ?? '40'

/** @param soak the duration of the soak test */
export function parts(soak: `${number}${'s' | 'm' | 'h'}`, soakMinutes: number): readonly Part[] {
  const script = (name: string, ...words: readonly string[]) =>
    ['npm', 'run', '-s', name, ...(words.length > 0 ? ['--', ...words] : [])] as const
  return [
    {
      name: 'coverage',
      about: 'the tests that need no hosts, with the share of the code that they reach',
      command: script('coverage'),
      limit: 45,
      silent: true,
    },
    {
      name: 'integration-12',
      about: 'the integration suite on hosts of Debian 12',
      command: script('test:integration', '--all'),
      env: { DEBIAN: '12', SEED, KINDS_ROUNDS },
      limit: 45,
    },
    {
      name: 'integration-13',
      about: 'the integration suite on hosts of Debian 13',
      command: script('test:integration', '--all'),
      env: { DEBIAN: '13', SEED, KINDS_ROUNDS },
      limit: 45,
    },
    {
      name: 'operations',
      about: 'what people do with the system',
      command: script('test:operations'),
      limit: 90,
    },
    { name: 'vagrant', about: 'the machines of the Vagrantfile', command: script('test:vagrant'), limit: 30 },
    {
      name: 'vagrant-small',
      about: 'the smaller set of machines',
      command: script('test:vagrant', '--small'),
      limit: 30,
    },
    {
      name: 'proof',
      about: 'the figures under load, with their controls',
      command: script('proof'),
      limit: 90,
    },
    {
      name: 'fast-failover',
      about: 'the loss of a primary with the option fastFailover, with its controls',
      command: script('proof:fast-failover'),
      limit: 120,
    },
    {
      name: 'slow',
      about: 'the site on hosts with 5 % of a core',
      command: script('slow'),
      limit: 120,
    },
    {
      name: 'bench',
      about: 'how fast it is',
      command: script('bench', '--no-peers', '--runs', '5'),
      limit: 45,
      silent: true,
    },
    {
      name: 'soak',
      about: `${soak} of events on one site`,
      command: script('soak', '--for', soak),
      limit: soakMinutes + 30,
    },
    {
      name: 'soak-databases',
      about: `${soak} of lost database hosts`,
      command: script('soak:databases', '--for', soak),
      limit: soakMinutes + 30,
    },
  ]
}
