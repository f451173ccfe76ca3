import { spawn } from 'node:child_process'
import { hostname, userInfo } from 'node:os'
import { HOOK_TIMEOUT, type Hook, type HookReport, hook } from '../model/hook.ts'
import type { Duration } from '../shell/duration.ts'
import { Secret } from '../shell/secret.ts'

/** Options of {@link mail}. */
export interface MailOptions {
  readonly to: string | readonly string[]
  /** @default the user of this machine */
  readonly from?: string
  /** @default `provision: 2 hosts changed` and the like */
  readonly subject?: (report: HookReport) => string
  /** The text of the mail. @default the hosts, changes and problems */
  readonly text?: (report: HookReport) => string
  /** The program that takes the mail, as `sendmail -t -i`. @default '/usr/sbin/sendmail' */
  readonly sendmail?: string
  /** The time after which the program is killed. @default '10s' */
  readonly timeout?: Duration
}

/**
 * Sends a report of the run by mail, through the `sendmail` of the machine that runs provision: postfix, exim, or `msmtp-mta` for an SMTP
 * server elsewhere. Secrets of the run are masked.
 *
 * @throws TypeError for an address with a line break
 * @example mail({ to: 'ops@example.com', from: 'provision@example.com' })
 */
export function mail({ to, from, subject, text, sendmail = '/usr/sbin/sendmail', timeout }: MailOptions): Hook {
  const recipients = typeof to === 'string' ? [to] : to
  const sender = from ?? `${userInfo().username}@${hostname()}`
  if (recipients.length === 0) throw new TypeError('mail: there is no recipient')
  for (const one of [...recipients, sender])
    if (/[\r\n\0]/.test(one) || !one.includes('@'))
      throw new TypeError(`mail: ${JSON.stringify(one)} is not an address`)
  return hook(
    `mail to ${recipients.join(', ')}`,
    (report, signal) => {
      const title = (subject ?? subjectOf)(report)
      const body = (text ?? textOf)(report)
      return deliver(sendmail, message({ recipients, sender, title, body }), signal)
    },
    { timeout: timeout ?? HOOK_TIMEOUT },
  )
}

/** `provision: 2 hosts changed` */
export function subjectOf({ event, status, hosts, changes }: HookReport): string {
  const changed = new Set(changes.map(({ host }) => host)).size
  const failed = hosts.filter(({ outcome }) => outcome === 'failed' || outcome === 'unreachable').length
  if (event === 'onDrift') return `provision: drift on ${hostCount(changed)}`
  if (failed > 0) return `provision: ${hostCount(failed)} failed or not reachable`
  if (status === 'interrupted') return 'provision: a run was interrupted'
  if (status === 'refused') return 'provision: policies refuse the changes of a run'
  return `provision: ${hostCount(changed)} changed`
}

function hostCount(count: number): string {
  return count === 1 ? '1 host' : `${count} hosts`
}

function textOf({ command, began, ms, status, hosts, changes, problems }: HookReport): string {
  return [
    `Run: ${command ?? 'by the library'}`,
    `Began: ${began}, took ${(ms / 1_000).toFixed(1)} s`,
    `Status: ${status}`,
    ...(problems.length > 0 ? ['', 'Problems:'] : []),
    ...problems.flatMap(({ host, message, next }) => [`  ${host}: ${message}`, ...(next ? [`    ${next}`] : [])]),
    ...(changes.length > 0 ? ['', 'Changes:'] : []),
    ...changes.map(({ host, step, action, fields, cause }) => {
      const names = fields.map(({ name }) => name).join(', ')
      return `  ${host}: ${step}: ${action}${names === '' ? '' : ` ${names}`}${cause === undefined ? '' : ` (${cause})`}`
    }),
    ...['', 'Hosts:'],
    ...hosts.map(({ host, outcome, changed }) => `  ${host}: ${outcome}, ${changed} changed`),
    '',
  ].join('\n')
}

interface Message {
  readonly recipients: readonly string[]
  readonly sender: string
  readonly title: string
  readonly body: string
}

/** A mail with its headers. The text is encoded, so that it has no line that is too long or ends the mail. */
function message({ recipients, sender, title, body }: Message): string {
  const lines =
    Buffer.from(Secret.redact(body))
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  return [
    `From: ${sender}`,
    `To: ${recipients.join(', ')}`,
    `Subject: ${encodedWord(Secret.redact(title))}`,
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    'Auto-Submitted: auto-generated',
    '',
    ...lines,
    '',
  ].join('\n')
}

/** RFC 2047. An encoded word has at most 75 characters, so a long text has several. */
function encodedWord(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  if (/^[\x20-\x7e]{1,70}$/.test(line)) return line
  const words: string[] = []
  let word = ''
  for (const character of line) {
    if (Buffer.byteLength(word + character) > 42) {
      words.push(word)
      word = ''
    }
    word += character
  }
  return [...words, word].map((one) => `=?utf-8?B?${Buffer.from(one).toString('base64')}?=`).join('\n ')
}

function deliver(program: string, text: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['-t', '-i'], { stdio: ['pipe', 'ignore', 'pipe'], signal, killSignal: 'SIGKILL' })
    let errors = ''
    child.stderr.on('data', (piece: Buffer) => {
      errors += piece.toString()
    })
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ENOENT' ? new Error(`there is no ${program}: install a mail server, or msmtp-mta`) : error,
      ),
    )
    child.on('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${program} exited with status ${code}: ${errors.trim().slice(-LONGEST_ERROR)}`))
    })
    // The program may end before it has read everything.
    child.stdin.on('error', () => {})
    child.stdin.end(text)
  })
}

/** Characters of the errors of the program that are shown. */
const LONGEST_ERROR = 500
