import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { forRequest } from '../request-id.ts'
import { HttpProblem, httpProblem } from './problem.ts'
import { type Answer, match, type Route } from './routes.ts'

export interface ServerParts {
  readonly routes: readonly Route[]
  /** For `x-served-by`. */
  readonly host: string
  /** True while the process shuts down: each response then closes its connection. */
  readonly stopping: () => boolean
  readonly log: Log
  readonly metrics: Metrics
}

/** Creates the server; it does not listen yet. Every request gets a response, an id, and one line in the log. */
export function notesServer(parts: ServerParts): Server {
  const server = createServer((request, response) => void exchange(parts, request, response))
  // Longer than the keep-alive time of nginx (4 s here): otherwise a POST may meet a connection that is being closed.
  server.keepAliveTimeout = 65_000
  server.headersTimeout = 10_000
  server.requestTimeout = 15_000
  return server
}

async function exchange(parts: ServerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { routes, host, stopping, log, metrics } = parts
  const began = performance.now()
  const method = request.method ?? ''
  const [path = ''] = (request.url ?? '').split('?')
  const requestId = requestIdOf(request)
  let routePath = 'none'
  let answer: Answer
  let failure: string | undefined
  try {
    const { route, id } = match(routes, method, path)
    routePath = route.path
    answer = await forRequest(requestId, async () => route.answer({ request, id }))
  } catch (error) {
    const problem = httpProblem(error)
    const { status, code, message, headers } = problem
    answer = { status, body: { error: { code, message, requestId } }, headers }
    if (!(error instanceof HttpProblem))
      failure =
        error instanceof Error ? (status === 500 ? error.stack : `${error.name}: ${error.message}`) : String(error)
  }
  response.setHeader('x-served-by', host)
  response.setHeader('x-request-id', requestId)
  response.setHeader('cache-control', 'no-store')
  const goneAway = request.destroyed && !request.complete
  send(response, answer, stopping())
  const seconds = (performance.now() - began) / 1000
  const status = goneAway ? 499 : answer.status
  metrics.request({ route: routePath, method: routePath === 'none' ? 'any' : method, status }, seconds)
  log[status >= 500 && status !== 503 ? 'error' : 'info']('request', {
    requestId,
    method,
    path: path.slice(0, 200),
    status,
    ms: Math.round(seconds * 10_000) / 10,
    client: request.headers['x-forwarded-for'] ?? request.socket.remoteAddress,
    failure,
  })
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer, last: boolean): void {
  response.statusCode = status
  if (last) response.setHeader('connection', 'close')
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (body === undefined) {
    response.end()
    return
  }
  const text = typeof body === 'string' ? body : JSON.stringify(body) + '\n'
  if (!response.hasHeader('content-type'))
    response.setHeader('content-type', typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json')
  response.setHeader('content-length', Buffer.byteLength(text))
  response.end(text)
}

/** The request id from the proxy if it is safe to log; otherwise a new one. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : randomUUID()
}
