import { randomBytes } from 'node:crypto'
import { Problem } from '../../model/problem.ts'
import { quote } from '../../shell/quote.ts'
import type { Secret } from '../../shell/secret.ts'
import type { Clock } from '../clock.ts'
import type { Connection, RemoteProcess } from '../transport.ts'
import { becomeError, passwordRejected } from './become-errors.ts'

/** How the login user becomes the one who may provision. */
export interface Become {
  readonly method: 'none' | 'sudo' | 'su' | 'doas'
  /** @default 'root' */
  readonly user?: string
  /** For sudo and su; doas takes one from a terminal only. It is sent when, and only when, the host asks for it. */
  readonly password?: Secret
}

export interface ShellRequest {
  /** The host's name, for messages. */
  readonly host: string
  readonly become: Become
  readonly shell: string
  /** Milliseconds to wait for each answer. */
  readonly timeout: number
  readonly clock: Clock
}

/**
 * Starts a shell as the user to become. Where nothing is asked it is not waited for: it may yet turn out that it ended at once,
 * and {@link becomeError} then tells why.
 *
 * @throws Problem when the password is not accepted
 */
export async function startShell(link: Connection, request: ShellRequest): Promise<RemoteProcess> {
  const { become, shell } = request
  if (become.method === 'none') return link.start(`exec ${shell}`)
  const signs = { up: `up-${nonce()}`, prompt: become.method === 'su' ? 'assword:' : `password-${nonce()}` }
  // su without a terminal takes the next line of stdin for the password, so it must have said first that it did not ask.
  const asks = become.password !== undefined || become.method === 'su'
  const inner = asks ? `echo ${signs.up} >&2; exec ${shell}` : undefined
  const wire = await link.start(`exec sh -c ${quote(climb(request, signs.prompt, inner))}`)
  if (asks) await answer(wire, request, signs)
  return wire
}

interface Signs {
  /** Written by the shell that we want. */
  readonly up: string
  readonly prompt: string
}

/** The way up: none for who is there already, which then costs nothing. In English, for the refusals. */
function climb({ become, shell }: ShellRequest, prompt: string, inner: string | undefined): string {
  const { method, user = 'root', password } = become
  const there = user === 'root' ? IS_ROOT : `[ "$(id -un)" = ${quote(user)} ]`
  const command = inner === undefined ? shell : `sh -c ${quote(inner)}`
  const ways = {
    none: shell,
    sudo: `sudo ${password ? `-S -k -p ${prompt}` : '-n'} -H -u ${quote(user)} ${command}`,
    doas: `doas -n -u ${quote(user)} ${command}`,
    su: `su -s /bin/sh -c ${quote(inner ?? shell)} ${quote(user)}`,
  }
  return `LC_ALL=C; export LC_ALL; if ${there}; then ${inner ?? `exec ${shell}`}; fi; exec ${ways[method]}`
}

/** Whether the shell's effective user is root: told by /proc, which takes no process, where there is one. */
const IS_ROOT = `{ while read -r _t _ _u _; do case $_t in Uid:) _v=$_u; break; esac; done </proc/self/status
[ "\${_v:-$(id -u)}" = 0 ]; } 2>/dev/null`

/** Gives the password to who asks for it, once, and waits until the shell is there. */
function answer(wire: RemoteProcess, request: ShellRequest, { up, prompt }: Signs): Promise<void> {
  const { host, become, timeout, clock } = request
  return new Promise((resolve, reject) => {
    let said = ''
    let given = false
    const settle = (problem?: Problem) => {
      limit.end()
      // Paused, or what comes before the next listener would be lost.
      wire.stderr.pause().off('data', listen)
      if (!problem) return resolve()
      wire.destroy()
      reject(problem)
    }
    const listen = (chunk: Buffer) => {
      said += chunk.toString('latin1')
      if (said.includes(up)) return settle()
      const prompts = said.split(prompt).length - 1
      if (prompts > 1) return settle(passwordRejected(host, become))
      if (prompts === 0 || given) return
      given = true
      const password = become.password?.reveal()
      if (password === undefined) return settle(becomeError({ host, become, said: 'a password is required' }))
      if (/[\n\0]/.test(password))
        return settle(
          new Problem(`the ${become.method} password for ${host} has a line break in it`, { next: ONE_LINE }),
        )
      wire.stdin.write(`${password}\n`)
    }
    const limit = clock.limit({
      ms: timeout,
      progress: () => said.length,
      expire: () => settle(becomeError({ host, become, said: `${said}\nno answer in ${timeout / 1000} s` })),
    })
    wire.stderr.on('data', listen)
    wire.stdin.on('error', () => {})
    void wire.ended.then((ending) => settle(becomeError({ host, become, said, ending })))
  })
}

const ONE_LINE =
  'No host would take it so: give it in one line with `--ask-become-password`, or correct `become.password` in the inventory'

function nonce(): string {
  return randomBytes(12).toString('hex')
}
