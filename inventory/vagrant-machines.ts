import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { execa } from 'execa'
import { Problem, type Ssh } from 'provision-ts'
import { parseSshConfig } from './ssh-config.ts'

/** A machine that is up: how Vagrant reaches it, with the key that its sshd has to show. */
export type Machine = Ssh & { readonly hostKey: string }

/**
 * The machines of the Vagrantfile that are up. Vagrant gives each a key to log in with when it is made, and believes any host key;
 * here the one that was shown first is noted beside that login, and no other is taken for as long as the machine lives.
 *
 * @param notes the path of the file for that
 */
export async function vagrantMachines(notes: string): Promise<ReadonlyMap<string, Machine>> {
  const machines = parseSshConfig(await asked())
  const before = noted(notes)
  const after = await Promise.all(
    [...machines].map(async ([name, ssh]) => {
      const login = digest(readFileSync(ssh.identityFile ?? '/dev/null'))
      const known = before[name]
      return [name, known?.login === login ? known : { login, hostKey: await shownBy(name, ssh) }] as const
    }),
  )
  note(notes, { ...before, ...Object.fromEntries(after) })
  return new Map(after.map(([name, { hostKey }]) => [name, { ...machines.get(name), hostKey }]))
}

async function asked(): Promise<string> {
  const status = await vagrant('status', '--machine-readable')
  const up = [...status.matchAll(/^\d+,([^,]+),state,running$/gm)].map(([, name = '']) => name)
  if (up.length === 0) throw new Problem('No machine of the Vagrantfile is up.', { next: 'Run: vagrant up' })
  // Asked of all, it ends at the first one that is not up.
  const reported = await vagrant('ssh-config', ...up)
  return reported
}

async function vagrant(...words: readonly string[]): Promise<string> {
  const { stdout, stderr, exitCode, code } = await execa('vagrant', words, { reject: false })
  if (code === 'ENOENT')
    throw new Problem('Vagrant is not installed.', {
      next: 'Install it, or use the lab: provision lab up',
    })
  if (exitCode === 0) return stdout
  throw new Problem('Vagrant does not get along with the Vagrantfile of this folder.', {
    details: stderr
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(0, 12),
    next: 'Fix it until this is content: vagrant validate',
  })
}

async function shownBy(name: string, { host = name, port = 22 }: Ssh): Promise<string> {
  const { stdout, stderr } = await execa('ssh-keyscan', ['-T', '5', '-t', 'ed25519', '-p', String(port), host], {
    reject: false,
  })
  const [, key] = /^\S+ ssh-ed25519 (\S+)$/m.exec(stdout) ?? []
  if (key === undefined)
    throw new Problem(`${name} shows no host key at ${host}, port ${port}.`, {
      details: stderr
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .slice(0, 3),
      next: `Check that it works: vagrant ssh ${name}. If not: vagrant reload ${name}`,
    })
  return `SHA256:${digest(Buffer.from(key, 'base64'))}`
}

function digest(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('base64').replace(/=+$/, '')
}

type Notes = Readonly<Record<string, { readonly login: string; readonly hostKey: string }>>

function noted(path: string): Notes {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
}

function note(path: string, notes: Notes): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, `${JSON.stringify(notes, undefined, 2)}\n`)
  renameSync(`${path}.new`, path)
}
