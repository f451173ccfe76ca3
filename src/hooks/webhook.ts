import { HOOK_TIMEOUT, type Hook, type HookReport, hook } from '../model/hook.ts'
import type { Duration } from '../shell/duration.ts'
import { Secret } from '../shell/secret.ts'

/** Options of {@link webhook} and {@link openTelemetry}. */
export interface HttpOptions {
  /** Headers of the request, such as `Authorization`. */
  readonly headers?: Readonly<Record<string, string | Secret>>
  /** The time after which the request is given up. @default '10s' */
  readonly timeout?: Duration
}

/** Options of {@link webhook}. */
export interface WebhookOptions extends HttpOptions {
  /** Returns the body of the request, which is sent as JSON. @default the report without its events */
  readonly body?: (report: HookReport) => unknown
}

/**
 * Sends a report of the run to a URL, as the JSON body of a POST request. Secrets of the run are masked. Another status than 2xx is a
 * failure; redirects are not followed.
 *
 * @param url a Secret if it contains a token
 * @throws TypeError for a text that is no HTTP URL
 * @example webhook('https://hooks.example.com/provision', { headers: { authorization: secret.env('HOOK_TOKEN') } })
 * @example webhook(secret.env('CHAT_URL'), { body: ({ changes }) => ({ text: `${changes.length} changes` }) })
 */
export function webhook(url: string | Secret, { body = withoutEvents, headers, timeout }: WebhookOptions = {}): Hook {
  return hook(
    nameOf('webhook', url),
    (report, signal) => post(url, body(report), { signal, ...(headers && { headers }) }),
    { timeout: timeout ?? HOOK_TIMEOUT },
  )
}

function withoutEvents({ events: _events, ...report }: HookReport): unknown {
  return report
}

/** The kind of a hook and the origin of its URL: a path may contain a token. */
export function nameOf(kind: string, url: string | Secret): string {
  if (url instanceof Secret) return kind
  const { protocol, origin } = parsed(kind, url)
  if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError(`${kind}: ${origin} is not an HTTP URL`)
  return `${kind} ${origin}`
}

function parsed(kind: string, url: string): URL {
  if (URL.canParse(url)) return new URL(url)
  throw new TypeError(`${kind}: "${url}" is not a URL`)
}

interface PostOptions extends Pick<HttpOptions, 'headers'> {
  readonly signal: AbortSignal
}

/** @throws Error for another status than 2xx */
export async function post(url: string | Secret, body: unknown, { signal, headers = {} }: PostOptions): Promise<void> {
  const own = Object.entries(headers).map(([name, value]) => [name, revealed(value)] as const)
  const response = await fetch(revealed(url), {
    ...{ method: 'POST', redirect: 'manual', signal },
    headers: { 'content-type': 'application/json', ...Object.fromEntries(own) },
    body: maskedJson(body),
  })
  if (response.ok) {
    await response.body?.cancel()
    return
  }
  const text = await response.text()
  throw new Error(`the server answered ${response.status}${text === '' ? '' : `: ${text.slice(0, LONGEST_ANSWER)}`}`)
}

/** Characters of an answer that are shown. */
const LONGEST_ANSWER = 200

/** JSON with secrets masked. */
export function maskedJson(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === 'string' ? Secret.redact(one) : one))
}

function revealed(value: string | Secret): string {
  return value instanceof Secret ? value.reveal() : value
}
