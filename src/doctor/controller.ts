import { existsSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import type { Finding } from '../model/check/verification.ts'
import { Problem } from '../model/problem.ts'
import { SshConfigReader } from '../transport/ssh/config.ts'
import { KnownHosts } from '../transport/ssh2/known-hosts.ts'

/**
 * Checks what a run needs on this machine.
 *
 * @param compiler the path of the TypeScript compiler; undefined if there is none
 */
export async function controllerFindings(compiler: string | undefined): Promise<readonly Finding[]> {
  // As OpenSSH does: the home of the user database.
  const ssh = join(userInfo().homedir, '.ssh')
  return [
    finding('Node.js', process.versions.node),
    typeScript(compiler),
    await tried('ssh_config', join(ssh, 'config'), (file) => new SshConfigReader({ file }).read({ host: 'any' })),
    await tried('known_hosts', join(ssh, 'known_hosts'), (file) => new KnownHosts().find([file], 'any')),
  ]
}

/** If the clocks of all hosts (at least two) differ from the controller's, the controller's clock is wrong. */
export function controllerClock(hosts: readonly Finding[]): readonly Finding[] {
  const clocks = hosts.filter(({ label, outcome }) => label === 'clock' && outcome !== 'unknown')
  const agreeing = clocks.filter(({ outcome }) => outcome === 'passed').length
  if (clocks.length === 0) return []
  const found = `agrees with ${agreeing} of ${clocks.length} hosts`
  if (agreeing > 0 || clocks.length < 2) return [finding('clock', found)]
  const problem = new Problem('No host agrees with the clock of this machine.', {
    next: 'See timedatectl here, before you look at the hosts.',
  })
  return [finding('clock', found, problem)]
}

function typeScript(compiler: string | undefined): Finding {
  if (compiler) {
    const { version }: { version: string } = JSON.parse(
      readFileSync(join(dirname(compiler), '../package.json'), 'utf8'),
    )
    return finding('TypeScript', version)
  }
  const problem = new Problem('There is no TypeScript compiler, so types are not checked.', {
    next: 'npm install --save-dev typescript',
  })
  return finding('TypeScript', 'not there', problem)
}

async function tried(label: string, file: string, read: (file: string) => Promise<unknown>): Promise<Finding> {
  if (!existsSync(file)) return finding(label, 'none')
  try {
    await read(file)
    return finding(label, file)
  } catch (error) {
    if (error instanceof Problem) return finding(label, file, error)
    throw error
  }
}

function finding(label: string, found: string, problem?: Problem): Finding {
  return { about: 'this machine', label, outcome: problem ? 'failed' : 'passed', ms: undefined, said: found, problem }
}
