import { type ClusterState, clusterState } from '../../roles/postgres/lib/cluster-state.ts'
import type { Step, Steps } from '../../src/index.ts'
import { Secret } from '../../src/index.ts'
import { expand } from '../../src/model/playbook/expand.ts'
import { FACTS, HOST } from './expanded.ts'

export const PRIMARY: ClusterState = {
  ...{ kind: 'cluster', version: 15, standby: false, running: true },
  ...{ system: '77', timeline: 1, state: 'in production' },
}

/** The params of both roles in the tests: db1, with db2 as its peer and one client. */
export const COMMON = {
  name: 'db1',
  address: '198.18.0.41',
  certificate: { certificate: '-----BEGIN CERTIFICATE-----', key: new Secret(() => 'the-key-of-db1') },
  authority: 'the authority',
  clients: [{ address: '198.18.0.31' }],
  peers: [{ name: 'db2', address: '198.18.0.42' }],
  databases: [{ name: 'notes', owner: 'notes_owner', user: 'notes', password: new Secret(() => 'app-password') }],
  passwords: { replication: new Secret(() => 're:pl\\ica') },
}

/** The steps of a role if each host answers with this cluster state. */
export function stepsWith(steps: Steps, answer: ClusterState, version = '12'): readonly Step[] {
  const facts = { ...FACTS, os: { ...FACTS.os, version } }
  const answers = {
    has: () => true,
    get: ({ question }: { question: unknown }) => question === clusterState && answer,
  }
  return expand(steps, { facts, host: HOST, answers }).steps.map(({ step }) => step)
}

export function stepOf(steps: readonly Step[], kind: string, name?: string): Step {
  const found = steps.find((step) => step.kind === kind && (name === undefined || step.name === name))
  if (!found) throw new Error(`there is no step ${kind} ${name ?? ''}`)
  return found
}

/** The standard input of the commands of a step, and their scripts. */
export function said(step: Step, have: unknown): { readonly input: string; readonly script: string } {
  const commands = step.apply(have)
  return {
    input: commands.map(({ input }) => (input instanceof Uint8Array ? Buffer.from(input).toString() : '')).join(''),
    script: commands.map(({ script }) => script.text).join('\n'),
  }
}
