import { writeFileSync } from 'node:fs'
import { labPaths } from '../base/paths.ts'
import type { HostState } from '../base/state.ts'
import { DEPLOY } from '../image/base-contents.ts'

export interface KnownHost extends HostState {
  /** The public key of its sshd. */
  readonly publicKey: string
}

/** Writes the files for `ssh -F`, which connect to a lab's hosts by name and trust these keys only. */
export function writeSshFiles(lab: string, hosts: readonly KnownHost[]): void {
  const { sshConfig, knownHosts, key } = labPaths(lab)
  const known = hosts.map(({ port, publicKey }) => `[127.0.0.1]:${port} ${publicKey}\n`)
  writeFileSync(knownHosts, known.join(''), { mode: 0o600 })
  const own = hosts.map(({ name, port }) => `Host ${name}\n  Port ${port}\n`)
  writeFileSync(sshConfig, `${own.join('')}${common(key, knownHosts)}`, { mode: 0o600 })
}

function common(key: string, knownHosts: string): string {
  return `Host *
  HostName 127.0.0.1
  User ${DEPLOY}
  IdentityFile ${key}
  IdentitiesOnly yes
  UserKnownHostsFile ${knownHosts}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  ConnectTimeout 60
  ServerAliveInterval 5
  ServerAliveCountMax 12
`
}
