import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Config } from '../config.ts'
import type { Notes } from '../notes.ts'
import { jsonBody } from './body.ts'
import { HttpProblem } from './problem.ts'
import type { Route } from './routes.ts'

export interface ApiParts {
  readonly config: Pick<Config, 'host' | 'release'>
  readonly notes: Notes
  /** Returns the address of the current primary. @throws an error with the reason if there is none */
  readonly ready: () => Promise<string>
}

const textLimit = 1000

export function api({ config: { host, release }, notes, ready }: ApiParts): readonly Route[] {
  return [
    { method: 'GET', path: '/livez', answer: () => ({ status: 200, body: { alive: true } }) },
    {
      method: 'GET',
      path: '/readyz',
      answer: async () => {
        try {
          const primary = await ready()
          return { status: 200, body: { ready: true, primary } }
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error)
          return { status: 503, body: { ready: false, reason } }
        }
      },
    },
    {
      method: 'GET',
      path: '/api/whoami',
      answer: () => ({
        status: 200,
        body: { host, pid: process.pid, release, uptime: Math.round(process.uptime()) },
      }),
    },
    {
      method: 'GET',
      path: '/api/notes',
      answer: async () => ({ status: 200, body: await notes.newest() }),
    },
    {
      method: 'POST',
      path: '/api/notes',
      answer: async ({ request }) => {
        const key = keyOf(request)
        const text = textOf(await jsonBody(request))
        const { note, fresh } = await notes.add({ text, host, key })
        if (!fresh && note.text !== text)
          throw new HttpProblem('This idempotency-key belongs to a note with another text: use a new one.', {
            status: 422,
            code: 'key-reused',
          })
        const location = `/api/notes/${note.id}`
        return {
          status: 201,
          body: note,
          headers: { location, ...(fresh ? {} : { 'idempotent-replayed': 'true' }) },
        }
      },
    },
    {
      method: 'GET',
      path: '/api/notes/:id',
      answer: async ({ id }) => {
        const note = await notes.get(id)
        if (note === undefined) throw new HttpProblem(`There is no note ${id}.`, { status: 404, code: 'no-such-note' })
        return { status: 200, body: note }
      },
    },
    {
      method: 'DELETE',
      path: '/api/notes/:id',
      // 204 also for a missing note: a retry by a proxy must not turn a success into an error.
      answer: async ({ id }) => {
        await notes.remove(id)
        return { status: 204 }
      },
    },
  ]
}

/** Generates a key if the client sends none, so that this service can retry after a lost COMMIT. */
function keyOf(request: IncomingMessage): string {
  const key = request.headers['idempotency-key']
  if (key === undefined) return randomUUID()
  if (typeof key === 'string' && /^[\x21-\x7e]{1,200}$/.test(key)) return key
  throw new HttpProblem('idempotency-key must be 1 to 200 visible ASCII characters, such as a UUID.', {
    status: 400,
    code: 'bad-key',
  })
}

function textOf(body: unknown): string {
  const given = typeof body === 'object' && body !== null && 'text' in body ? body.text : undefined
  const text = typeof given === 'string' ? given.trim() : ''
  const length = [...text].length
  if (length === 0 || length > textLimit || text.includes('\0'))
    throw new HttpProblem(`Send {"text": "…"} with 1 to ${textLimit} characters and no NUL.`, {
      status: 400,
      code: 'bad-text',
    })
  return text
}
