import { selfSigned } from '../../support/self-signed.ts'
import { api, type Generator } from './api.ts'

/** Lines, blocks and replacements in files that others write, alone and in a transaction. */
export const edits: Generator = (dice, site) => {
  const root = '/srv/kinds/edits'
  const path = `${root}/conf` as const
  const marked = (id: string, text: string) => `# BEGIN provision ${id}\\n${text}\\n# END provision ${id}\\n`
  const found = dice.one(
    ':',
    `rm -rf ${root}`,
    `printf 'port 1\\nold 1\\nlast without end' > ${path}`,
    `printf 'old 2\\r\\nport 2\\r\\n' > ${path}`,
    `printf '${marked('a', 'one')}port 1\\n${marked('b', 'two')}' > ${path}`,
  )
  const all = [
    api.block(path, 'a', dice.one('one\n', 'one\ntwo\n'), { first: dice.maybe(), ...site.options() }),
    dice.one(api.block(path, 'b', 'two'), api.block.absent(path, 'b', site.options())),
    api.replace(path, /^port \d$/, 'port 3', site.options()),
    api.line.absent(path, /^old/, site.options()),
  ]
  const inTransaction = [api.block(`${root}/other`, 'a', 'one'), api.line(`${root}/other`, 'two', { first: true })]
  const conf = `${root}/conf.${dice.one('ini', 'json', 'yaml', 'toml')}` as const
  const settings = [
    api.setting(conf, ['a', 'b'], dice.one(1, 2), site.options()),
    dice.one(api.setting(conf, 'c', 'd', site.options()), api.setting.absent(conf, 'c', site.options())),
  ]
  return {
    found: `mkdir -p ${root}; ${found}`,
    steps: [
      ...dice.some(all, 0.7),
      ...dice.some(settings, 0.7),
      ...(dice.maybe() ? [api.transaction(`${root}/other`, inTransaction)] : []),
    ],
  }
}

/** Files of which a step sets the owner and mode, or the content once, and copies and fragments. */
export const ownership: Generator = (dice, site) => {
  const root = '/srv/kinds/ownership'
  const mode = dice.one('0644', '0600')
  const found = dice.one(
    ':',
    `rm -rf ${root}`,
    `mkdir -p ${root}/tree/deep; : > ${root}/tree/deep/file; chmod 0755 ${root}/tree/deep/file; chown -R deploy ${root}/tree`,
    `mkdir -p ${root}; echo theirs > ${root}/once; echo copy > ${root}/copy; chmod 0600 ${root}/copy; printf 'b\\na\\n' > ${root}/whole`,
  )
  return {
    needs: `command -v setfacl || apt-get install -qq -y acl; mkdir -p ${root}/tree; echo source > ${root}/source`,
    found: `${found}; mkdir -p ${root}/tree; setfacl -m user:operator:rwx ${root}; echo source > ${root}/source`,
    steps: [
      ...dice.some([
        api.file(`${root}/once`, 'once\n', { once: true, ...site.options() }),
        api.copied(`${root}/source`, `${root}/copy`, { mode, once: dice.maybe(), ...site.options() }),
        api.attributes(`${root}/tree`, { owner: dice.one('root', 'deploy'), mode, recursive: true, ...site.options() }),
        api.attributes(`${root}/source`, { group: dice.one('root', 'deploy') }),
      ]),
      api.acl(root, { 'user:deploy': 'rx', 'default:group:deploy': 'r' }, { exclusive: true, ...site.options() }),
      api.concat(`${root}/whole`, 'a', dice.one('a', 'A'), site.options()),
    ],
  }
}

/** Keys of servers, rules of sudo, and a certificate that hosts trust. */
export const trust: Generator = (dice, site) => {
  const path = '/srv/kinds/trust/known_hosts'
  const found = dice.one(
    ':',
    `mkdir -p /srv/kinds/trust; printf 'git.test,10.0.0.1 ssh-rsa AAAA\\nother ssh-rsa AAAA\\n' > ${path}`,
    `echo 'operator ALL=(ALL) ALL' > /etc/sudoers.d/kinds; chmod 0440 /etc/sudoers.d/kinds`,
    'rm -f /etc/sudoers.d/kinds /etc/ssl/certs/kinds.pem',
  )
  const rules = 'operator ALL=(root) NOPASSWD: /usr/bin/true\n'
  return {
    found,
    steps: [
      dice.one(
        api.knownHosts('git.test', [KEY], { path, ...site.options() }),
        api.knownHosts.absent('git.test', { path }),
      ),
      dice.one(api.sudoers('kinds', rules), api.sudoers.absent('kinds')),
      dice.one(
        api.caCertificate('kinds', AUTHORITY, site.options()),
        api.caCertificate.absent('kinds', site.options()),
      ),
    ],
  }
}

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIj0Xp8rkLtZ5LuWJ3S9JqCbU3sYxsYv3vP2yKb1uWkM'
const AUTHORITY = selfSigned('kinds.test', 30)

/** A tree of this machine, with entries of others in it. */
export const trees: Generator = (dice, site) => {
  const path = '/srv/kinds/tree'
  const found = dice.one(
    ':',
    `rm -rf ${path}`,
    `mkdir -p ${path}/theirs; echo precious > ${path}/theirs/file; echo wrong > ${path}/right; chmod 0700 ${path}`,
  )
  const from = api.localDirectory(import.meta, 'content')
  return {
    found,
    steps: [
      api.tree(path, from, {
        owner: dice.one('root', 'deploy'),
        mode: dice.one('0644', '0600'),
        exclusive: dice.maybe(),
        ...site.options(),
      }),
    ],
  }
}
