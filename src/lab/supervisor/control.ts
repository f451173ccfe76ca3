import { chmodSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { Problem } from '../../model/problem.ts'
import type { Mirror } from '../apt/sources.ts'
import { eachLine } from '../base/run.ts'
import type { Debian } from '../base/state.ts'

/** The calls that a supervisor serves, with their arguments and results. */
export interface Calls {
  up: { readonly args: UpRequest; readonly result: null }
  status: { readonly args: null; readonly result: readonly HostStatus[] }
  act: { readonly args: { readonly verb: HostVerb; readonly host: string }; readonly result: null }
  split: { readonly args: { readonly a: string; readonly b: string; readonly apart: boolean }; readonly result: null }
  delay: { readonly args: { readonly host: string; readonly ms: number }; readonly result: null }
  snapshot: { readonly args: { readonly snapshot: string }; readonly result: null }
  slow: { readonly args: { readonly host: string; readonly percent: number | null }; readonly result: null }
}

export interface UpRequest {
  readonly hosts: readonly string[]
  readonly debian: Debian
  readonly base: string
  readonly mirror: Mirror
  /** Limit of each host's CPU time in percent of a core; null for no limit. */
  readonly cpuPercent: number | null
}

/** Actions on one host. */
export type HostVerb =
  | 'kill'
  | 'poweroff'
  | 'start'
  | 'reset'
  | 'cut'
  | 'uncut'
  | 'freeze'
  | 'thaw'
  | 'fillDisk'
  | 'freeDisk'

/** The state of a host. */
export interface HostStatus {
  readonly name: string
  readonly address: string
  readonly port: number
  /** `running` after its sshd has answered once. */
  readonly power: 'off' | 'booting' | 'running'
  /** Injected faults, such as `cut` or `frozen`. */
  readonly faults: readonly string[]
  /** The time of its last start or restart, in milliseconds since 1970. */
  readonly since: number
  /** The pid on this machine of its init process. */
  readonly leader: number | undefined
}

export type Handlers = {
  readonly [K in keyof Calls]: (args: Calls[K]['args'], log: (line: string) => void) => Promise<Calls[K]['result']>
}

type Message =
  | { readonly log: string }
  | { readonly result: unknown }
  | {
      readonly problem: {
        readonly what: string
        readonly details: readonly string[]
        readonly next?: string | undefined
      }
    }
  | { readonly error: string }

/** Serves calls on a socket that only its owner may open. A connection is one call, in lines of JSON. */
export async function serveCalls(path: string, handlers: Handlers): Promise<Server> {
  rmSync(path, { force: true })
  const server = createServer((socket) => {
    socket.on('error', () => {}) // The caller has disconnected.
    eachLine(socket, (line) => {
      const send = (message: Message) => socket.writable && socket.write(`${JSON.stringify(message)}\n`)
      const { verb, args } = JSON.parse(line) as { verb: keyof Calls; args: never }
      handlers[verb](args, (log) => send({ log }))
        .then((result) => send({ result }))
        .catch((error: unknown) => send(asMessage(error)))
        .finally(() => socket.end())
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  chmodSync(path, 0o600)
  return server
}

/** Makes a call. Throws a `Problem` of the supervisor as a `Problem`. */
export function call<K extends keyof Calls>(
  path: string,
  verb: K,
  args: Calls[K]['args'],
  log: (line: string) => void = () => {},
): Promise<Calls[K]['result']> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.on('error', (error) => reject(unreachable(error)))
    socket.on('close', () =>
      reject(new Problem('The lab was taken down during the call.', { next: 'provision lab up' })),
    )
    socket.write(`${JSON.stringify({ verb, args })}\n`)
    eachLine(socket, (line) => {
      const message = JSON.parse(line) as Message
      if ('log' in message) log(message.log)
      else if ('result' in message) resolve(message.result as Calls[K]['result'])
      else if ('problem' in message) reject(asProblem(message.problem))
      else reject(new Error(message.error))
    })
  })
}

function asMessage(error: unknown): Message {
  if (error instanceof Problem) return { problem: { what: error.message, details: error.details, next: error.next } }
  console.error(error) // Goes to the supervisor's log.
  return { error: error instanceof Error ? error.message : String(error) }
}

function unreachable(error: NodeJS.ErrnoException): Error {
  if (error.code !== 'EACCES')
    return new Problem('The supervisor of the lab is not running.', { next: 'provision lab up', cause: error })
  return new Problem('Only root can do that to a lab.', { next: 'the same with sudo', cause: error })
}

function asProblem({ what, details, next }: Extract<Message, { problem: unknown }>['problem']): Problem {
  return new Problem(what, { details, ...(next !== undefined && { next }) })
}
