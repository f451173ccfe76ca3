import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inGroup, labGroup, makeGroup, removeGroup } from '../base/cgroups.ts'
import { labPaths } from '../base/paths.ts'
import { ownCommand, searchPath } from '../base/run.ts'
import { call } from './control.ts'

/** Starts a lab's supervisor in the background and returns when it accepts calls. Kills the remains of an earlier one. */
export async function startSupervisor(name: string): Promise<void> {
  const paths = labPaths(name)
  await removeGroup(labGroup(name))
  await mkdir(join(paths.directory, 'hosts'), { recursive: true, mode: 0o700 })
  await rm(paths.socket, { force: true })
  const supervisor = launch(name, paths.log)
  let over = false
  supervisor.once('close', () => {
    over = true
  })
  while (!(await takesCalls(paths.socket))) {
    if (over) throw new Error(`the supervisor of the lab ended:\n${readFileSync(paths.log, 'utf8').trim()}`)
    await sleep(10)
  }
  supervisor.unref()
}

/** Starts it in a new session and cgroup, with only the given descriptors. */
function launch(name: string, log: string) {
  const group = labGroup(name, 'supervisor')
  makeGroup(group)
  const apart = ['unshare', '--net', '--mount', '--propagation', 'slave', '--', ...ownCommand('lab', 'supervise', name)]
  const [command = '', ...args] = inGroup(group, apart)
  const written = openSync(log, 'w', 0o600)
  const machineNetwork = openSync('/proc/self/ns/net', 'r') // descriptor 3: see OUTSIDE_FD
  try {
    return spawn(command, args, {
      detached: true,
      cwd: '/',
      env: environment(),
      stdio: ['ignore', written, written, machineNetwork],
    })
  } finally {
    closeSync(written)
    closeSync(machineNetwork)
  }
}

/** Contains no secrets of the caller: the supervisor outlives it, and the hosts are its children. */
function environment(): NodeJS.ProcessEnv {
  const kept = ['HOME', 'TMPDIR', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE']
  return { PATH: searchPath(), ...Object.fromEntries(kept.map((key) => [key, process.env[key]])) }
}

async function takesCalls(socket: string): Promise<boolean> {
  return call(socket, 'status', null).then(
    () => true,
    () => false,
  )
}
