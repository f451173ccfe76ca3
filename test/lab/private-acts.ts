import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { machineMirror } from '../../src/lab/apt/sources.ts'
import { labGroup, limitCpu, removeGroup } from '../../src/lab/base/cgroups.ts'
import { labPaths } from '../../src/lab/base/paths.ts'
import { checkMachine, installRequirements } from '../../src/lab/base/requirements.ts'
import { type LabState, processId, writeState } from '../../src/lab/base/state.ts'
import { Guest } from '../../src/lab/hosts/guest.ts'
import { baseImage } from '../../src/lab/image/base-image.ts'
import { restoreSnapshot, takeSnapshot } from '../../src/lab/image/snapshot-copy.ts'
import { snapshotPaths } from '../../src/lab/image/snapshots.ts'
import { openLab } from '../../src/lab/lab.ts'
import { createBridge } from '../../src/lab/network/bridge.ts'
import { call, serveCalls } from '../../src/lab/supervisor/control.ts'
import { wordsOf } from '../support/words.ts'

const NAME = 'mine'
const log = () => {}

/** The errors on a machine that {@link asPrivate} has made unsuitable. */
const ACTS = {
  check: checkMachine,
  'check as on another system': () => {
    Object.defineProperty(process, 'platform', { value: 'darwin' })
    checkMachine()
  },
  requirements: () => installRequirements(log),
  mirror: machineMirror,
  'base image': async () => {
    const empty = createServer((_request, response) => response.writeHead(404).end())
    await once(empty.listen(80, '127.0.0.1'), 'listening')
    const mirror = { archive: 'http://127.0.0.1/debian', security: undefined }
    await baseImage({ debian: 12, mirror, log }).finally(() => empty.close())
  },
  'restore a snapshot whose base is gone': () => {
    const { directory, record } = snapshotPaths('kept')
    mkdirSync(directory, { recursive: true })
    writeFileSync(record, JSON.stringify({ name: 'kept', debian: 12, base: '/nowhere', hosts: [] }))
    return restoreSnapshot({ from: 'kept', name: NAME, debian: undefined, log })
  },
  'snapshot of a lab without a disk': () => {
    const state = keep()
    return takeSnapshot('kept', state)
  },
  'limit processor time': () => limitCpu(labGroup(NAME), 5), // there is no such group
  open: () => openLab(NAME),
  call: () => call(labPaths(NAME).socket, 'status', null),
  'switch a host on': async () => {
    const guest = new Guest({ lab: NAME, name: 'web1', address: '198.18.0.21' })
    mkdirSync(guest.paths.root, { recursive: true })
    await createBridge()
    await guest.start().finally(() => removeGroup(labGroup(NAME)))
  },
  'exec on a host that is off': async () => {
    keep()
    const host = { name: 'web1', address: '198.18.0.21', port: 2221 }
    const off = { ...host, power: 'off', faults: [], since: 0, leader: undefined } as const
    const none = async () => null
    const status = async () => [off]
    const server = await serveCalls(labPaths(NAME).socket, {
      up: none,
      act: none,
      split: none,
      delay: none,
      slow: none,
      snapshot: none,
      status,
    })
    await openLab(NAME)
      .exec('web1', 'true')
      .finally(() => server.close())
  },
} as const

export type Act = keyof typeof ACTS

/** A lab with this process as its supervisor. */
function keep(): LabState {
  mkdirSync(labPaths(NAME).directory, { recursive: true })
  const supervisor = processId(process.pid)
  if (!supervisor) throw new Error('this process is not to be found')
  const hosts = [{ name: 'web1', address: '198.18.0.21', port: 2221, hostKey: 'SHA256:x' }]
  const ports = { https: 1, http: 2 }
  const state: LabState = { name: NAME, debian: 12, base: '/base', supervisor, hosts, ports }
  writeState(state)
  return state
}

const [, file, act] = process.argv
if (file === import.meta.filename) {
  const found = Object.entries(ACTS).find(([name]) => name === act)
  console.log(await wordsOf(() => found?.[1]()))
}
