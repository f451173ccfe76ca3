import type { IncomingMessage } from 'node:http'
import { HttpProblem } from './problem.ts'

export interface Answer {
  readonly status: number
  /** Sent as JSON; a string is sent unchanged. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** As shown in metrics and in the answer to an unknown path. `:id` matches a number. */
  readonly path: string
  readonly answer: (exchange: { request: IncomingMessage; id: number }) => Promise<Answer> | Answer
}

export interface Match {
  readonly route: Route
  /** The number in the path; 0 if the route has none. */
  readonly id: number
}

/** @throws HttpProblem 404 or 405 */
export function match(routes: readonly Route[], method: string, path: string): Match {
  const fitting = routes.flatMap((route) => {
    const id = idIn(route.path, path)
    return id === undefined ? [] : [{ route, id }]
  })
  if (fitting.length === 0) {
    const paths = [...new Set(routes.map((route) => route.path))]
    throw new HttpProblem(`There is no ${path.slice(0, 200)} here. There are ${paths.join(', ')}.`, {
      status: 404,
      code: 'no-such-path',
    })
  }
  const wanted = method === 'HEAD' ? 'GET' : method
  const found = fitting.find(({ route }) => route.method === wanted)
  if (found === undefined) {
    const allow = fitting.map(({ route }) => route.method).join(', ')
    throw new HttpProblem(`${path} takes ${allow}, not ${method}.`, {
      status: 405,
      code: 'method-not-allowed',
      headers: { allow },
    })
  }
  return found
}

function idIn(pattern: string, path: string): number | undefined {
  if (!pattern.endsWith('/:id')) return pattern === path ? 0 : undefined
  const start = pattern.slice(0, -':id'.length)
  if (!path.startsWith(start) || !/^[1-9]\d{0,14}$/.test(path.slice(start.length))) return undefined
  return Number(path.slice(start.length))
}
