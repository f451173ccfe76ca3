import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Step } from '../../src/model/resource/step.ts'
import { unpack } from '../../src/resources/downloads/unpack.ts'
import { absent } from '../../src/resources/files/absent.ts'
import { localFile } from '../../src/resources/files/content.ts'
import { directory } from '../../src/resources/files/directory.ts'
import { file } from '../../src/resources/files/file.ts'
import { line } from '../../src/resources/files/line.ts'
import { link } from '../../src/resources/files/link.ts'
import type { AbsolutePath } from '../../src/resources/files/stat.ts'
import { dpkgDivert } from '../../src/resources/packages/divert.ts'
import { pkg } from '../../src/resources/packages/package.ts'
import { aptSource } from '../../src/resources/packages/source.ts'
import { markReleaseCurrent, markReleaseRolledBack } from '../../src/resources/releases/current.ts'
import { pruneReleases } from '../../src/resources/releases/prune.ts'
import { build, release } from '../../src/resources/releases/release.ts'
import { authorizedKeys } from '../../src/resources/system/authorized-keys.ts'
import { command } from '../../src/resources/system/command.ts'
import { git } from '../../src/resources/system/git.ts'
import { script } from '../../src/resources/system/script.ts'
import { swap } from '../../src/resources/system/swap.ts'
import { sysctl } from '../../src/resources/system/sysctl.ts'
import { timezone } from '../../src/resources/system/timezone.ts'
import { user } from '../../src/resources/system/user.ts'
import { userGroup } from '../../src/resources/system/user-group.ts'
import { transaction } from '../../src/resources/transaction/transaction.ts'
import { type Shell, sh } from '../../src/shell/sh.ts'
import { KEY, OTHER_KEY, secretHash } from '../resources/account-rows.ts'
import { TEXT_FAKE_ROWS } from './text-fake-rows.ts'

/** Steps that a fake host and this machine apply in order, each with the same plan and the same result. */
export interface FakeRow {
  /** @param root an empty directory of both @param own the owner of its files */
  readonly steps: (root: AbsolutePath, own: { readonly owner: string }) => readonly Step[]
  /** Runs on this machine first. */
  readonly setup?: Shell
  /** For steps that only root can apply. @default false */
  readonly root?: boolean
}

export const FAKE_ROWS: Readonly<Record<string, FakeRow>> = {
  ...TEXT_FAKE_ROWS,
  'files and directories': {
    steps: (root, own) => [
      directory(`${root}/a/b`, { ...own, mode: '0700' }),
      file(`${root}/a/b/text`, 'text\n', { ...own, mode: '0640' }),
      file(`${root}/deep/er/bytes`, Uint8Array.of(1, 2), own),
      file(`${root}/a/b/text`, 'other\n', { ...own, mode: '0640' }),
    ],
  },
  'links and their targets': {
    steps: (root, own) => [
      file(`${root}/one`, '1', own),
      link(`${root}/current`, { target: 'one' }),
      file(`${root}/current`, '2', { ...own, follow: true }),
      file(`${root}/absolute`, '1', own),
      link(`${root}/far`, { target: `${root}/absolute` }),
      file(`${root}/far`, 'in place of the link', own),
    ],
  },
  'lines of files': {
    steps: (root, own) => [
      file(`${root}/lines`, 'a 1\nb\na 2\n', own),
      line(`${root}/lines`, 'a 3', { match: /^a / }),
      line(`${root}/lines`, 'c'),
      line(`${root}/lines`, 'b'),
      line(`${root}/fresh`, 'alone'),
    ],
  },
  'removed paths and commands': {
    steps: (root, own) => [
      file(`${root}/dir/file`, 'x', own),
      absent(`${root}/dir`),
      absent(`${root}/never`),
      command('create it', sh`: > ${`${root}/created`} && chmod 0644 ${`${root}/created`}`, {
        creates: `${root}/created`,
      }),
    ],
  },
  'a transaction': {
    steps: (root, own) => [
      file(`${root}/old`, 'x', own),
      transaction('conf', [file(`${root}/conf`, 'new\n', own), absent(`${root}/old`)], {
        validate: sh`grep -q new ${`${root}/conf`}`,
      }),
    ],
  },
  releases: {
    steps: (root) => [...deployed(root, 'one'), ...deployed(root, 'two'), ...deployed(root, 'three')],
    root: true,
  },
  'users and groups': {
    setup: sh`rm -rf /etc/skel && mkdir /etc/skel && echo 'HOME_MODE 0700' >>/etc/login.defs`,
    steps: (root) => [
      userGroup('provision-readers'),
      user('provision-app', { home: '/srv/app', groups: ['provision-readers'] }),
      user('provision-app', { home: '/srv/other' }),
      userGroup('provision-readers', { gid: 4321 }),
      user('provision-app', { home: '/srv/other', uid: 4322, comment: 'An application', expires: '2030-01-31' }),
      user('provision-app', { home: '/srv/other', password: { initial: secretHash }, locked: true }),
      user('provision-app', { home: '/srv/other', exclusive: true }),
      user('provision-regular', { system: false, home: `${root}/home/regular` }),
      authorizedKeys('provision-regular', [KEY]),
      authorizedKeys('provision-regular', [OTHER_KEY], { exclusive: true }),
      user.absent('provision-app'),
      userGroup.absent('provision-readers'),
    ],
    root: true,
  },
  'the time zone': {
    setup: sh`ln -sfn /usr/share/zoneinfo/Etc/GMT /etc/localtime`,
    steps: () => [timezone('Etc/UTC')],
    root: true,
  },
  'kernel settings': {
    steps: () => [sysctl('test', { 'net.ipv4.ip_forward': 1, 'net.ipv4.tcp_fin_timeout': 25 })],
    root: true,
  },
  'a diverted file': {
    steps: (root, own) => [
      file(`${root}/tool`, 'of a package', own),
      dpkgDivert(`${root}/tool`),
      file(`${root}/tool`, 'own', own),
      dpkgDivert(`${root}/tool`, { to: `${root}/other` }),
      dpkgDivert.absent(`${root}/tool`),
    ],
    root: true,
  },
  'swap files': {
    setup: sh`: > /etc/fstab && printf '#!/bin/sh\n' > /usr/local/sbin/systemctl && chmod 755 /usr/local/sbin/systemctl`,
    steps: (root) => [
      swap(`${root}.one`, { size: '1M' }),
      swap(`${root}.two`, { size: '2M', priority: 7 }),
      swap(`${root}.one`, { size: '2M' }),
      swap.absent(`${root}.two`),
      swap.absent(`${root}.one`),
    ],
    root: true,
  },
  packages: {
    steps: () => [
      pkg('provision-test'),
      pkg('provision-test', { version: '1', hold: true }),
      pkg('provision-test', { hold: false }),
      pkg.absent('provision-test', { purge: true }),
    ],
    setup: sh`
mkdir -p /srv/repository/package/DEBIAN && cd /srv/repository
printf '%s\n' 'Package: provision-test' 'Version: 1' 'Architecture: all' 'Maintainer: test <test@example.com>' 'Description: test' > package/DEBIAN/control
dpkg-deb --build package provision-test.deb >/dev/null
{ cat package/DEBIAN/control; echo "Filename: ./provision-test.deb"; echo "Size: $(stat -c %s provision-test.deb)"; echo "SHA256: $(sha256sum <provision-test.deb | cut -d ' ' -f 1)"; } > Packages
rm -rf /etc/apt/sources.list.d /etc/apt/sources.list
mkdir /etc/apt/sources.list.d
echo 'deb [trusted=yes] file:/srv/repository ./' > /etc/apt/sources.list`,
    root: true,
  },
  'a git checkout': {
    steps: (root, own) => {
      const repo = `${root}.repository`
      const run = (...args: readonly string[]) =>
        execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.net', ...args], { stdio: 'ignore' })
      run('init', '-q', '-b', 'main', repo)
      run('-C', repo, 'commit', '-qm', 'first', '--allow-empty')
      return [git(`${root}/unpacked`, { repo: `file://${repo}`, at: 'main', ...own })]
    },
  },
  'an archive that is unpacked, and a script': {
    steps: (root, own) => [
      unpack(`${root}/unpacked`, localFile(import.meta, '../integration/repository/tool.tar.gz'), { ...own, strip: 2 }),
      script('make it', localFile(import.meta, '../integration/repository/make.sh'), {
        args: [`${root}/made`],
        creates: `${root}/made`,
      }),
    ],
    root: true,
  },
  'a source of packages, and a package of a file': {
    steps: (root) => [
      aptSource('test', {
        uri: 'file:/srv/signed',
        suites: './',
        key: localFile(import.meta, '../integration/repository/key.asc'),
      }),
      file(`${root}/app.deb`, localFile(import.meta, '../integration/repository/source-app_1.0.deb')),
      pkg.file(`${root}/app.deb`),
    ],
    setup: sh`mkdir -p /srv/signed && cp ${join(import.meta.dirname, '../integration/repository')}/* /srv/signed/`,
    root: true,
  },
}

/** Kinds that only a whole host can apply. test/integration/testing.test.ts, system-kinds.test.ts and python.test.ts apply them to hosts of the lab. */
export const ON_LAB_HOSTS: ReadonlySet<string> = new Set([
  'download',
  'service',
  'unit',
  'firewall',
  'cron',
  'timer',
  'sudoers',
  'caCertificate',
  'mount',
  'acl',
  'hostname',
  'locale',
  'alternatives',
  'python environment',
  'kernel module',
  'wait',
])

/** A build becomes the current release, an older one is removed, and the one before is marked as rolled back. */
function deployed(root: AbsolutePath, content: string): readonly Step[] {
  const output = `${root}.${content}`
  mkdirSync(output, { recursive: true })
  writeFileSync(`${output}/content`, content)
  const built = build(output, 'This test builds it.')
  return [
    release(`${root}/releases/${built.id}`, built),
    pruneReleases(root, { wanted: built.id, keep: 2 }),
    link(`${root}/current`, { target: `releases/${built.id}` }),
    markReleaseCurrent(root, built.id),
    ...(content === 'two' ? [markReleaseRolledBack(root, built.id)] : []),
  ]
}
