import { existsSync, watch } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quote } from '../../shell/sh.ts'
import type { Clock } from '../clock.ts'
import { throwIfStopped, Unreachable } from '../errors.ts'
import { spawnProcess } from '../local.ts'
import type { Login } from '../ssh/jump-hosts.ts'
import { drainOutput, type RemoteProcess } from '../transport.ts'
import { opensshError } from './errors.ts'
import type { Arguments, LoginCommand } from './options.ts'

interface MasterCommand extends LoginCommand {
  /** The login at the last jump host, if any. */
  readonly through: Master | undefined
}

/** Logs in and returns when commands can be started. @throws Unreachable */
export async function startMaster(command: MasterCommand, clock: Clock, stop?: AbortSignal): Promise<Master> {
  const { program, args, connectTimeout, loginTimeout, through } = command
  const before = through?.stderr.length ?? 0
  const directory = await mkdtemp(join(tmpdir(), 'provision-mux-'))
  const socket = join(directory, 's')
  const guarded = ['-c', GUARD, 'sh', directory, program, '-N', '-T', '-S', socket, ...args]
  const process = await spawnProcess('/bin/sh', guarded)
  const stderr = collect(process)
  const waiting = new AbortController()
  const { signal } = waiting
  const timeout = connectTimeout + 2 * loginTimeout
  const late = clock.wait(timeout, signal).then(() => 'late' as const)
  const abort = () => process.destroy()
  stop?.addEventListener('abort', abort)
  if (stop?.aborted) abort()
  const outcome = await Promise.race([appears(socket, signal), process.exit, late])
  waiting.abort()
  stop?.removeEventListener('abort', abort)
  if (outcome === 'there') return new Master({ command, clock, process, socket, stderr })
  process.destroy()
  await drainOutput(process, clock)
  throwIfStopped(stop)
  throw opensshError({
    ...command,
    through: through?.command.target.name,
    // The ssh of the jump host's login reports why a jump host cannot go on.
    stderr: `${through?.stderr.slice(before) ?? ''}${stderr()}`,
    ...(outcome === 'late' && { timedOutAfter: timeout }),
  })
}

/**
 * Runs `ssh` beside a shell that waits for the end of our pipe, which comes when we close it or are killed. It then kills ssh with all its
 * processes. The process group is ours alone.
 */
const GUARD = `exec 3<&0
{ trap '' TERM; read -r _ <&3; kill 0; rm -rf "$1"; } >/dev/null 2>&1 &
shift
exec "$@" </dev/null 3<&-`

interface MasterParts {
  readonly command: MasterCommand
  readonly clock: Clock
  readonly process: RemoteProcess
  readonly socket: string
  readonly stderr: () => string
}

/** An open login that commands share (ControlMaster). */
export class Master implements Login {
  readonly command: MasterCommand
  readonly lost: Promise<string>
  readonly #clock: Clock
  readonly #process: RemoteProcess
  readonly #socket: string
  readonly #stderr: () => string
  #lostReason: string | undefined

  constructor({ command, clock, process, socket, stderr }: MasterParts) {
    this.command = command
    this.#clock = clock
    this.#process = process
    this.#socket = socket
    this.#stderr = stderr
    this.lost = process.exit.then(async () => {
      await drainOutput(process, clock)
      this.#lostReason ??= lastLine(stderr()) ?? 'the connection ended'
      return this.#lostReason
    })
  }

  /** The stderr of ssh. */
  get stderr(): string {
    return this.#stderr()
  }

  /** Starts a command on the host. */
  async start(command: string): Promise<RemoteProcess> {
    if (this.#lostReason !== undefined) {
      const { name } = this.command.target
      throw new Unreachable(`The connection to ${name} is lost: ${this.#lostReason}`, { reason: 'lost' })
    }
    return spawnProcess(this.command.program, [...this.#shared, '-T', '--', HOST, command])
  }

  /** A ProxyCommand through this host to the host that ssh connects to. */
  get proxyCommand(): string {
    const words = [this.command.program, ...this.#shared]
    return `${words.map((word) => quote(word).replaceAll('%', '%%')).join(' ')} -W '[%h]:%p' ${HOST}`
  }

  async close(): Promise<void> {
    this.#lostReason ??= 'we closed the connection'
    this.#process.stdin.end()
    const limit = this.#clock.limit({ ms: CLOSE_TIMEOUT, expire: () => this.#process.destroy() })
    await this.lost
    limit.end()
  }

  /** Without a connection to share, ssh would open its own; `ProxyCommand=false` prevents that. */
  get #shared(): Arguments {
    return ['-F', 'none', '-S', this.#socket, '-o', 'ProxyCommand=false', '-o', 'LogLevel=ERROR']
  }
}

/** A placeholder: over a shared connection ssh needs some host name. */
const HOST = 'host'

/** Milliseconds for ssh to close the connection. */
const CLOSE_TIMEOUT = 1_000

/** Characters of stderr that are kept. */
const STDERR_LIMIT = 65_536

function collect({ stdout, stderr }: RemoteProcess): () => string {
  let text = ''
  stdout.on('error', () => {}).resume()
  stderr
    .on('error', () => {})
    .on('data', (chunk: Buffer) => {
      if (text.length < STDERR_LIMIT) text += chunk.toString()
    })
  return () => text
}

/** ssh creates the socket under another name after the login and then renames it. */
function appears(socket: string, signal: AbortSignal): Promise<'there'> {
  return new Promise((resolve) => {
    const look = () => {
      if (existsSync(socket)) resolve('there')
    }
    watch(join(socket, '..'), { signal }, look).on('error', () => {})
    look()
  })
}

function lastLine(text: string): string | undefined {
  return text
    .split(/\r?\n/)
    .findLast((line) => line.trim() !== '')
    ?.trim()
}
