import { spawnSync } from 'node:child_process'
import { localLink } from '../../src/transport/local.ts'
import { conformance } from './conformance.ts'

for (const shell of ['dash', 'busybox sh', 'bash --posix']) {
  const [program = shell] = shell.split(' ')
  if (spawnSync(program, ['true']).error) it(`(there is no ${program} on this machine)`)
  else conformance(`this machine's ${program}`, async () => localLink(), { shell })
}
