import { join } from 'node:path'
import type { Run } from './clock.ts'
import type { Site } from './site.ts'

/** The command `provision`, as a user runs it. */
export function provision(
  { path }: Pick<Site, 'path'>,
  playbook: string,
  env: Readonly<Record<string, string>> = {},
): Run {
  const at = (name: string) => join(import.meta.dirname, name)
  return {
    command: process.execPath,
    args: [at('../bin/provision.js'), at(`job/${playbook}.ts`), '--inventory', at('job/inventory.ts')],
    env: { BENCH_HOSTS: path('hosts.json'), ...env },
  }
}
