import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Config, type Endpoint, shown } from './config.ts'
import { Database } from './database/database.ts'
import type { OpenPool } from './database/pool.ts'
import { Primary } from './database/primary.ts'
import { readRecord } from './database/record.ts'
import { checkSchema } from './database/schema.ts'
import { api } from './http/api.ts'
import { type DrainTimes, drain } from './http/drain.ts'
import { notesServer } from './http/server.ts'
import type { Log } from './log.ts'
import { Metrics } from './metrics.ts'
import { Notes } from './notes.ts'

export interface AppParts {
  readonly config: Config
  readonly open: OpenPool
  readonly log: Log
  readonly drainTimes?: DrainTimes
}

export interface App {
  /** The address it listens on; port 0 is replaced by the actual port. */
  readonly address: Endpoint
  readonly metricsAddress: Endpoint | undefined
  /** Resolves when the last connection is closed. */
  stop(): Promise<void>
}

const usualDrain: DrainTimes = { idle: 5000, giveUp: 20_000 }

/** Starts listening and searches for the database in the background: without a database the service is live but not ready. */
export async function start({ config, open, log, drainTimes = usualDrain }: AppParts): Promise<App> {
  const { host, release } = config
  const metrics = new Metrics({ release, host, node: process.version })
  const { hosts, record } = config.database
  const primary = new Primary({
    ...{ hosts, open, prepare: checkSchema, log, metrics },
    ...(record !== undefined && { record: () => readRecord(record) }),
  })
  const notes = new Notes(new Database({ primary, log, metrics }))
  let stopping = false
  const checked = cached(() => primary.check(), 1000)
  const ready = async () => {
    if (stopping) throw new Error('this instance is stopping')
    return shown(await checked())
  }
  const server = notesServer({
    routes: api({ config, notes, ready }),
    host,
    stopping: () => stopping,
    log,
    metrics,
  })
  const metricsServer = config.metrics && metricsOnly(metrics)

  const address = await listen(server, config.listen)
  const metricsAddress = config.metrics && metricsServer && (await listen(metricsServer, config.metrics))
  log.info('listening', {
    address: shown(address),
    metrics: metricsAddress && shown(metricsAddress),
    release,
  })
  checked().catch((error: unknown) => log.warn('not ready', { reason: String(error) }))

  return {
    address,
    metricsAddress,
    async stop() {
      if (stopping) return
      stopping = true
      log.info('stopping')
      const clean = await drain(server, drainTimes)
      primary.close()
      metricsServer?.close()
      metricsServer?.closeAllConnections()
      log.info('stopped', { clean })
    },
  }
}

function metricsOnly(metrics: Metrics): Server {
  return createServer((request, response) => {
    const found = request.url === '/metrics'
    response.writeHead(found ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
    response.end(found ? metrics.text() : 'There is /metrics here.\n')
  })
}

async function listen(server: Server, { host, port }: Endpoint): Promise<Endpoint> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const bound: AddressInfo | string | null = server.address()
  return { host, port: typeof bound === 'object' && bound !== null ? bound.port : port }
}

/** Caches the last outcome, including a rejection, for this long. Concurrent callers share one call. */
function cached<T>(work: () => Promise<T>, milliseconds: number): () => Promise<T> {
  let outcome: Promise<T> | undefined
  return () => {
    if (outcome === undefined) {
      outcome = work()
      const forget = () => void setTimeout(() => (outcome = undefined), milliseconds).unref()
      outcome.then(forget, forget)
    }
    return outcome
  }
}
