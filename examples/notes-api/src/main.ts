import { start } from './app.ts'
import { ConfigProblem, readConfig } from './config.ts'
import { postgres } from './database/postgres.ts'
import { jsonLog } from './log.ts'

/** EX_CONFIG of sysexits.h: a restart would not help, and the unit can declare that (RestartPreventExitStatus=78). */
const badConfig = 78

const log = jsonLog((line) => void process.stdout.write(line))

try {
  const config = readConfig(process.env)
  const app = await start({ config, open: postgres(config.database, `notes-api ${config.host}`), log })
  const stop = () => void app.stop().then(() => process.exit(0))
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
} catch (error) {
  if (error instanceof ConfigProblem) {
    for (const problem of error.problems) log.error('bad configuration', { problem })
    process.exit(badConfig)
  }
  log.error('cannot start', { problem: error instanceof Error ? error.message : String(error) })
  process.exit(1)
}
