import { execFileSync, spawnSync } from 'node:child_process'
import { userInfo } from 'node:os'
import { expect } from 'chai'
import { Problem } from '../../src/model/problem.ts'
import { LoginCommands } from '../../src/transport/openssh/options.ts'
import { concerns } from '../../src/transport/ssh/config.ts'
import type { LoginSettings } from '../../src/transport/ssh2/settings.ts'
import { settingsReader } from '../../src/transport/ssh2/transport.ts'
import type { Target } from '../../src/transport/transport.ts'
import { Workshop } from './sshd.ts'

const ROUNDS = 150
const HOSTS = ['web1', 'db1', '10.0.0.5', 'fd00::5']

/** Compares the settings of random ssh_config files, with and without those of the inventory, with the output of ssh. */
describe('ssh_config, at random', () => {
  const shop = new Workshop()
  after(() => shop.dispose())

  it(`applies completely beside the inventory, in ${ROUNDS} files`, async () => {
    const count = { refused: 0, jumps: 0, keys: 0, besides: 0 }
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const chance = random(seed)
      const file = shop.file('config', randomConfig(chance, shop.file('included', randomConfig(chance))))
      const target = randomTarget(chance, shop.file('key', ''))
      const { host, user, port, identityFile, proxyJump } = target
      const options = [
        ...['-F', file],
        ...(user === undefined ? [] : ['-l', user]),
        ...(port === undefined ? [] : ['-p', String(port)]),
        ...(identityFile === undefined ? [] : ['-i', identityFile]),
        ...(proxyJump === undefined ? [] : ['-J', proxyJump.map((jump) => jump.host).join(',') || 'none']),
      ]
      const ssh = spawnSync('ssh', ['-G', ...options, '--', host], { encoding: 'utf8' })
      const read = settingsReader({ configFile: file })
      const about = `seed ${seed}: ssh ${options.join(' ')} ${host}`
      const used = await read(target).catch((error: unknown) =>
        error instanceof Problem ? error : Promise.reject(error),
      )
      if (ssh.status !== 0 || used instanceof Error) {
        expect([ssh.status !== 0, used instanceof Error], about).to.deep.equal([true, true])
        count.refused++
        continue
      }
      const theirs = wordsOf(ssh.stdout, { ...target, host })
      expect(usedWords(used), about).to.deep.equal(theirs)
      if (used.proxyJump.length > 0) count.jumps++
      if (used.identities.named) count.keys++
      if (port !== undefined && user && identityFile && target.hostKey) count.besides++
    }
    expect(
      Object.values(count).every((n) => n > 3),
      JSON.stringify(count),
    ).to.equal(true)
  })

  it(`applies to the name in the inventory beside the address, in ${ROUNDS} files, for both transports`, async () => {
    const count = { refused: 0, jumps: 0, keys: 0 }
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const chance = random(seed)
      const text = randomConfig(chance).replaceAll(/^\s*hostname.*$/gim, '# left out')
      const file = shop.file('config', text)
      const alias = one(chance, ['web1', 'db1'])
      const target = { name: alias, host: '172.16.0.5', alias }
      const ssh = (options: readonly string[]) => spawnSync('ssh', ['-G', '-F', file, ...options], { encoding: 'utf8' })
      const { stdout, status } = ssh(['-o', `HostName=${target.host}`, '--', alias])
      const about = `seed ${seed}: ${alias}\n${text}`
      const used = await settingsReader({ configFile: file })(target).catch((error: unknown) =>
        error instanceof Problem ? error : Promise.reject(error),
      )
      if (status !== 0 || used instanceof Error) {
        expect([status !== 0, used instanceof Error], about).to.deep.equal([true, true])
        count.refused++
        continue
      }
      expect(usedWords(used), about).to.deep.equal(wordsOf(stdout, target))
      // `Host !web1 *` is not undone by an option where it sets a HostKeyAlias.
      if (/!/.test(text)) continue
      const { args } = await new LoginCommands({ configFile: file }).create(target, undefined)
      const own = ssh(args).stdout
      for (const keyword of [
        'hostname',
        'port',
        'user',
        'identityfile',
        'proxyjump',
        'userknownhostsfile',
        'hostkeyalias',
        'hostkeyalgorithms',
      ]) {
        const theirs = all(stdout, keyword)
        // Another block that matches the address may append keys.
        const ours = all(own, keyword).slice(0, keyword === 'identityfile' ? theirs.length : undefined)
        expect(ours, `${keyword}, ${about}`).to.deep.equal(theirs)
      }
      if (used.proxyJump.length > 0) count.jumps++
      if (used.identities.named) count.keys++
    }
    expect(
      Object.values(count).every((n) => n > 3),
      JSON.stringify(count),
    ).to.equal(true)
  })

  it(`is skipped only if it does not change a setting, in ${ROUNDS} files`, async () => {
    const bare = new Map(HOSTS.map((host) => [host, said('/dev/null', host)]))
    let left = 0
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const chance = random(seed)
      const text = randomConfig(chance)
      const host = one(chance, HOSTS)
      if (concerns(text, host) || text.includes('Prot')) continue
      left++
      expect(said(shop.file('config', text), host), `seed ${seed}: ${host}\n${text}`).to.equal(bare.get(host))
    }
    expect(left).to.be.greaterThan(5)
  })

  /** The relevant settings that ssh reports for a host. */
  function said(file: string, host: string): string {
    return execFileSync('ssh', ['-G', '-F', file, '--', host], { encoding: 'utf8', stdio: 'pipe' })
      .split('\n')
      .filter((line) => !/^(loglevel|hashknownhosts|sendenv|control\w+|forwardx11) /.test(line))
      .join('\n')
  }
})

/** The settings that are compared. */
function usedWords(used: LoginSettings) {
  return {
    host: used.host,
    port: used.port,
    user: used.user,
    keys: used.identities.named ? used.identities.files : 'usual',
    only: used.identities.only,
    via: used.proxyJump.map((jump) => [jump.user, jump.host, jump.port]),
    timeout: used.connectTimeout,
    unknown: used.hostKey.unknown,
    knownHosts: used.hostKey.userFiles,
    name: used.hostKey.name,
    algorithms: used.hostKey.algorithms?.join(','),
    alive: used.keepalive.interval,
  }
}

/** All values of a keyword in the output of ssh. */
function all(answer: string, keyword: string): readonly string[] {
  return answer
    .split('\n')
    .filter((line) => line.startsWith(`${keyword} `))
    .map((line) => line.slice(keyword.length + 1))
    .filter((value) => value !== 'none')
}

/** Parses the output of ssh: only the test's paths with spaces are known here. */
function wordsOf(answer: string, target: Target) {
  const first = (keyword: string) => all(answer, keyword)[0]
  const [host = '', port = '', user = ''] = [first('hostname'), first('port'), first('user')]
  const { homedir } = userInfo()
  const put = (path: string) =>
    path.replace(/^~/, homedir).replace('%h', host).replace('%n', target.host).replace('%r', user)
  const keys = all(answer, 'identityfile')
  const known = first('userknownhostsfile') ?? ''
  const named = known.startsWith('/with a blank/') ? ['/with a blank/known', '~/.ssh/other'] : known.split(' ')
  const alias = first('hostkeyalias')
  const alive = Number(first('serveraliveinterval') ?? 0)
  const jump = first('proxyjump')
  const policy = first('stricthostkeychecking') ?? ''
  return {
    host,
    port: Number(port),
    user,
    keys: keys.length > 0 && !keys.every((key) => key.startsWith('~/.ssh/id_')) ? keys.map(put) : 'usual',
    only: first('identitiesonly') === 'yes',
    via: target.proxyJump?.map((via) => [via.user, via.host, via.port]) ?? JUMPS[jump ?? 'none'] ?? jump,
    timeout: 1000 * (Number(first('connecttimeout')) || 10),
    unknown: { true: 'refuse', ask: 'ask', 'accept-new': 'accept', false: 'accept' }[policy],
    knownHosts: named.map(put),
    name: alias ?? (port === '22' ? host : `[${host}]:${port}`),
    algorithms: first('hostkeyalgorithms'),
    alive: alive > 0 ? 1000 * alive : 3000,
  }
}

const JUMPS: Readonly<Record<string, unknown>> = {
  none: [],
  bastion: [[undefined, 'bastion', undefined]],
  'ops@bastion:2222,[fd00::1]:23': [
    ['ops', 'bastion', 2222],
    [undefined, 'fd00::1', 23],
  ],
  'me@gate:24': [['me', 'gate', 24]],
}

type Chance = () => number

/** @param key must exist: `ssh -i` skips a missing one */
function randomTarget(chance: Chance, key: string): Target {
  const host = one(chance, HOSTS)
  // Each alone, none, and all together.
  const whole = chance() < 0.2
  const maybe = () => whole || chance() < 0.25
  return {
    name: host,
    host,
    ...(maybe() && { user: one(chance, ['deploy', 'root']) }),
    ...(maybe() && { port: one(chance, [22, 2200]) }),
    ...(maybe() && { identityFile: key }),
    ...(maybe() && { hostKey: 'SHA256:abc' }),
    ...(chance() < 0.15 && { proxyJump: one(chance, [[], [{ name: 'hop', host: 'hop' }]]) }),
  }
}

function randomConfig(chance: Chance, included?: string): string {
  const lines: string[] = []
  const blocks = 1 + Math.floor(chance() * 5)
  for (let block = 0; block < blocks; block++) {
    if (chance() < 0.85) lines.push(heading(chance))
    const settings = 1 + Math.floor(chance() * 4)
    for (let n = 0; n < settings; n++) lines.push(written(chance, ...one(chance, SETTINGS)))
    if (included !== undefined && chance() < 0.2) lines.push(`Include ${included}`)
    if (chance() < 0.1) lines.push('# Host web1', '', '\t')
    if (chance() < 0.02) lines.push('Prot 22')
  }
  const end = chance() < 0.1 ? '\r\n' : '\n'
  return lines.join(end) + end
}

function heading(chance: Chance): string {
  if (chance() < 0.25)
    return `Match ${one(chance, ['all', 'host web1', 'host !web1', 'originalhost web*,10.*', 'user deploy', 'host *.5 user root', `exec "true"`, `exec "test %n = db1"`, `localuser ${userInfo().username}`])}`
  const patterns = [
    '*',
    'web1',
    'web?',
    'web*',
    '!web1 *',
    '* !db1',
    '"db1"',
    'WEB1',
    '10.0.0.*',
    'fd00::*',
    'web1 db1',
    'db1\tother',
    'lan-* *.example.com',
    '* !10.*',
    'github.com',
  ]
  return written(chance, 'Host', one(chance, patterns))
}

const SETTINGS: readonly (readonly [string, string])[] = [
  ['HostName', '10.9.9.9'],
  ['HostName', '%h.example.com'],
  ['Port', '2222'],
  ['User', 'admin'],
  ['IdentityFile', '~/.ssh/%r-%n'],
  ['IdentityFile', '"/with a blank/%h"'],
  ['IdentityFile', '/keys/plain'],
  ['IdentitiesOnly', 'yes'],
  ['ProxyJump', 'bastion'],
  ['ProxyJump', 'ops@bastion:2222,[fd00::1]:23'],
  ['ProxyJump', 'ssh://me@gate:24'],
  ['ProxyJump', 'none'],
  ['ConnectTimeout', '7'],
  ['ServerAliveInterval', '9'],
  ['StrictHostKeyChecking', 'accept-new'],
  ['StrictHostKeyChecking', 'no'],
  ['StrictHostKeyChecking', 'yes'],
  ['UserKnownHostsFile', '/etc/one ~/.ssh/two'],
  ['UserKnownHostsFile', '"/with a blank/known" ~/.ssh/other'],
  ['HostKeyAlias', 'alias'],
  ['HostKeyAlgorithms', 'ssh-ed25519'],
  ['LogLevel', 'ERROR'],
  ['HashKnownHosts', 'yes'],
  ['SendEnv', 'LANG LC_*'],
]

/** A line as people write it: with `=`, indented, in other letters, with a comment behind. */
function written(chance: Chance, keyword: string, value: string): string {
  const word = one(chance, [keyword, keyword, keyword.toLowerCase(), keyword.toUpperCase()])
  const between = one(chance, [' ', ' ', '  ', '\t', '=', ' = '])
  return `${one(chance, ['', '  ', '\t'])}${word}${between}${value}${one(chance, ['', '', '', '  ', ' # why'])}`
}

function one<T>(chance: Chance, from: readonly T[]): T {
  const found = from[Math.floor(chance() * from.length)]
  if (found === undefined) throw new RangeError('nothing to choose from')
  return found
}

function random(seed: number): Chance {
  let state = seed * 2654435761
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
