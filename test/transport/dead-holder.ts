/** A run that takes the lock of a machine and then waits for a script; `dead-holder.test.ts` kills it. */

import { quote, Shell } from '../../src/shell/sh.ts'
import { localConnection } from '../../src/transport/local.ts'
import { openSession } from '../../src/transport/session/open.ts'

const [enter = '', mode, script = '', first = ''] = process.argv.slice(2)
const connection = localConnection()
const session = await openSession(
  { ...connection, start: (command) => connection.start(`exec ${enter} sh -c ${quote(command)}`) },
  { host: 'web1', lock: { owner: 'ana@laptop' } },
)
await session.opened
await session.run([
  { script: Shell.raw(first) },
  {
    script: Shell.raw(script),
    mode: mode === 'inline' ? 'inline' : 'isolated',
    timeout: 3_600_000,
    ...(mode === 'daemon' && { as: 'daemon', mayFail: true }),
  },
])
