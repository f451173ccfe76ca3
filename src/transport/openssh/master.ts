import { existsSync, watch } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quote } from '../../shell/quote.ts'
import type { Clock } from '../clock.ts'
import { throwIfStopped, Unreachable } from '../errors.ts'
import { spawnChild } from '../local.ts'
import type { RemoteProcess } from '../transport.ts'
import { drainOutput } from '../transport.ts'
import type { Arguments, Login } from './arguments.ts'
import { opensshError } from './errors.ts'

/** Logs in, and comes back when commands can be started. @throws Unreachable */
export async function startMaster(login: Login, clock: Clock, stop?: AbortSignal): Promise<Master> {
  const { program, words, connectTimeout, loginTimeout, through } = login
  const before = through?.said.length ?? 0
  const directory = await mkdtemp(join(tmpdir(), 'provision-mux-'))
  const socket = join(directory, 's')
  const guarded = ['-c', GUARD, 'sh', directory, program, '-N', '-T', '-S', socket, ...words]
  const wire = await spawnChild({ program: '/bin/sh', words: guarded })
  const said = listen(wire)
  const patient = new AbortController()
  const { signal } = patient
  const late = clock.wait(connectTimeout + 2 * loginTimeout, signal).then(() => 'late' as const)
  const abort = () => wire.destroy()
  stop?.addEventListener('abort', abort)
  if (stop?.aborted) abort()
  const outcome = await Promise.race([appears(socket, signal), wire.ended, late])
  patient.abort()
  stop?.removeEventListener('abort', abort)
  if (outcome === 'there') return new Master({ login, clock, wire, socket, said })
  wire.destroy()
  await drainOutput(wire, clock)
  throwIfStopped(stop)
  // Why a jump host cannot go on is told by the ssh that holds the login there.
  const told = `${through?.said.slice(before) ?? ''}${said()}`
  throw opensshError({ ...login, said: told, late: outcome === 'late' })
}

/**
 * `ssh` itself, and beside it a shell that waits for the end of our pipe, be it that we close it or are gone without a word: then it
 * ends ssh with all that that has started. Ours is a process group of its own.
 */
const GUARD = `exec 3<&0
{ trap '' TERM; read -r _ <&3; kill 0; rm -rf "$1"; } >/dev/null 2>&1 &
shift
exec "$@" </dev/null 3<&-`

interface MasterParts {
  readonly login: Login
  readonly clock: Clock
  readonly wire: RemoteProcess
  readonly socket: string
  readonly said: () => string
}

/** A login that is open, for the commands that will share it. */
export class Master {
  readonly login: Login
  readonly clock: Clock
  /** Why the connection ended, in words. Never rejects; settles for one that we closed, too. */
  readonly lost: Promise<string>
  readonly #wire: RemoteProcess
  readonly #socket: string
  readonly #said: () => string
  #ended: string | undefined

  constructor({ login, clock, wire, socket, said }: MasterParts) {
    this.login = login
    this.clock = clock
    this.#wire = wire
    this.#socket = socket
    this.#said = said
    this.lost = wire.ended.then(async () => {
      await drainOutput(wire, clock)
      this.#ended ??= lastWords(said()) ?? 'the connection ended'
      return this.#ended
    })
  }

  /** What ssh has written to stderr. */
  get said(): string {
    return this.#said()
  }

  /** What `lost` will say, once it is known. */
  get ended(): string | undefined {
    return this.#ended
  }

  /** Starts a command on the host. */
  async start(command: string): Promise<RemoteProcess> {
    if (this.#ended !== undefined) throw this.#gone()
    return spawnChild({
      program: this.login.program,
      words: [...this.#shared('ERROR'), '-T', '--', HOST, command],
    })
  }

  /** A command line for ProxyCommand that leads to the port of the host that ssh connects to. */
  get passage(): string {
    const words = [this.login.program, ...this.#shared('ERROR')]
    return `${words.map((word) => quote(word).replaceAll('%', '%%')).join(' ')} -W '[%h]:%p' ${HOST}`
  }

  async close(): Promise<void> {
    this.#ended ??= 'we closed the connection'
    this.#wire.stdin.end()
    const limit = this.clock.limit({ ms: GOODBYE, expire: () => this.#wire.destroy() })
    await this.lost
    limit.end()
  }

  /** Without a connection to share, ssh would make one of its own, and the command be outside of what we know. */
  #shared(level: string): Arguments {
    return ['-F', 'none', '-S', this.#socket, '-o', 'ProxyCommand=false', '-o', `LogLevel=${level}`]
  }

  #gone(): Unreachable {
    const { name } = this.login.target
    return new Unreachable(`The connection to ${name} is lost: ${this.#ended}`, { reason: 'lost' })
  }
}

/** It has a name on the command line and in no message. */
const HOST = 'host'

/** Milliseconds for ssh to take leave. */
const GOODBYE = 1_000

/** More than this of its words nobody wants to read. */
const MUCH = 65_536

function listen({ stdout, stderr }: RemoteProcess): () => string {
  let said = ''
  stdout.on('error', () => {}).resume()
  stderr
    .on('error', () => {})
    .on('data', (chunk: Buffer) => {
      if (said.length < MUCH) said += chunk.toString()
    })
  return () => said
}

/** ssh makes the socket when the login is done, under another name, and then gives it its own. */
function appears(socket: string, signal: AbortSignal): Promise<'there'> {
  return new Promise((resolve) => {
    const look = () => {
      if (existsSync(socket)) resolve('there')
    }
    watch(join(socket, '..'), { signal }, look).on('error', () => {})
    look()
  })
}

function lastWords(said: string): string | undefined {
  return said
    .split(/\r?\n/)
    .findLast((line) => line.trim() !== '')
    ?.trim()
}
