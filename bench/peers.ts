import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Run } from './clock.ts'
import type { Site } from './site.ts'

/** Tuned Ansible: all hosts at once, pipelining, persistent connections, no facts; also with Mitogen. */
export function peers(site: Site): { readonly ansible: Run; readonly mitogen: Run } {
  const run = (name: string, strategy: string): Run => ({
    command: 'ansible-playbook',
    args: [join(import.meta.dirname, 'job/ansible/site.yml')],
    env: {
      ANSIBLE_CONFIG: site.write(`${name}.cfg`, configuration(site, strategy)),
      ANSIBLE_LOCAL_TEMP: site.path(name),
      // The path of a socket must be short.
      ANSIBLE_SSH_CONTROL_PATH_DIR: site.path('cp'),
    },
  })
  return { ansible: run('ansible', 'linear'), mitogen: run('mitogen', 'mitogen_linear') }
}

function configuration({ lab, path, names }: PeerSite, strategy: string): string {
  return `[defaults]
inventory = ${path('hosts.ini')}
forks = ${2 * names.length}
strategy = ${strategy}
gathering = explicit
interpreter_python = /usr/bin/python3
retry_files_enabled = False
nocows = True
[ssh_connection]
pipelining = True
ssh_args = -F ${lab.sshConfig} -o ControlMaster=auto -o ControlPersist=60s
`
}

type PeerSite = Pick<Site, 'lab' | 'names' | 'path'>

const PACKAGES = ['ansible-core', 'ansible-mitogen']

/** Installs missing Debian packages of the tools. Returns their versions, or that one is not available. */
export function setUpPeers(say: (line: string) => void): readonly string[] {
  const missing = PACKAGES.filter((name) => installed(name) === undefined)
  if (missing.length > 0) {
    say(`Installing ${missing.join(' and ')} from Debian for the comparison…`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const { status, stderr } = spawnSync('apt-get', ['-qq', '-y', 'install', '--no-install-recommends', ...missing], {
      env,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`apt-get could not install ${missing.join(' and ')}: ${stderr}`)
  }
  return [
    ...PACKAGES.map((name) => `${name} ${installed(name)}`),
    candidate('python3-pyinfra') ??
      candidate('pyinfra') ??
      'pyinfra: Debian has no package of it, so it is not measured',
  ]
}

function installed(name: string): string | undefined {
  const { status, stdout } = spawnSync('dpkg-query', ['-W', '-f', `\${db:Status-Abbrev}|\${Version}`, name], {
    encoding: 'utf8',
  })
  return status === 0 && stdout.startsWith('ii') ? stdout.split('|')[1] : undefined
}

function candidate(name: string): string | undefined {
  const { stdout } = spawnSync('apt-cache', ['policy', name], { encoding: 'utf8' })
  const version = /Candidate: (?!\(none\))(\S+)/.exec(stdout)?.[1]
  return version && `${name} ${version} is in Debian, and not measured here yet`
}
