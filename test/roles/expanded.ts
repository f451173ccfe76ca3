import { emptyAnswer } from '../../src/engine/read/without-hosts.ts'
import { expand } from '../../src/model/playbook/expand.ts'
import type { Steps } from '../../src/model/playbook/steps.ts'
import type { Facts } from '../../src/model/resource/facts.ts'
import type { Step } from '../../src/model/resource/step.ts'

export const FACTS: Facts = {
  hostname: 'host1',
  cpus: 4,
  memory: 8 * 1024 ** 3,
  architecture: 'amd64',
  os: { id: 'debian', version: '12', codename: 'bookworm' },
  platform: 'debian',
  interface: 'eth0',
  interfaces: [],
  container: false,
  bootId: '0f0f0f0f',
}

/** The host that roles see in their context. */
export const HOST = { name: 'host1', group: 'test', address: '192.0.2.1' }

/** The flat list of steps of a role on a host with these facts; steps that need answers of other hosts are omitted. */
export function stepsOf(steps: Steps, facts: Partial<Facts> = {}): readonly Step[] {
  const answers = { has: () => false, get: () => undefined }
  return expand(steps, { facts: { ...FACTS, ...facts }, host: HOST, answers }).steps.map(({ step }) => step)
}

/** The texts that these steps write on an empty host, by path; undefined for a secret. */
export function textsOf(steps: readonly Step[]): ReadonlyMap<string, string | undefined> {
  return new Map(
    steps
      .filter(({ kind }) => WRITING.includes(kind))
      .flatMap((step) => step.diff(emptyAnswer(step.read))?.texts ?? [])
      .map(({ path, after }) => [path, after]),
  )
}

const WRITING = ['file', 'unit', 'transaction']

/** The only text at this path. */
export function textAt(steps: readonly Step[], path: string): string {
  const text = textsOf(steps).get(path)
  if (text === undefined) throw new Error(`no step writes a text that can be seen to ${path}`)
  return text
}
