import type { Become } from '../model/inventory/host.ts'
import { Secret } from '../shell/secret.ts'
import { Clock } from '../transport/clock.ts'
import type { SshOptions } from '../transport/ssh2/transport.ts'
import { askHidden, askYes } from './prompt.ts'
import type { SessionSettings } from './sessions.ts'

interface Flags {
  readonly acceptNewHostKeys: boolean
  readonly askBecomePassword: boolean
  readonly timeoutFactor?: number
}

export interface LoginOptions {
  /** For transports. */
  readonly ssh: SshOptions
  readonly become: Become
  /** For sessions. */
  readonly settings: SessionSettings
}

/** What the command line and a person at the terminal add to the inventory's word on how to reach hosts. */
export async function sshOptions({
  acceptNewHostKeys,
  askBecomePassword,
  timeoutFactor,
}: Flags): Promise<LoginOptions> {
  const person = process.stdin.isTTY && process.stderr.isTTY
  const become: Become = askBecomePassword ? { password: await askHidden('Password for sudo: ') } : {}
  const clock = new Clock()
  const ssh = {
    clock,
    warn: (text: string) => process.stderr.write(`warning: ${Secret.redact(text)}\n`),
    ...(acceptNewHostKeys && { hostKeys: 'accept-new' as const }),
    ...(person && {
      ask: (question: { readonly host: string; readonly fingerprint: string }) =>
        askYes(
          `${question.host} shows the key ${question.fingerprint}, which is not known yet. Is it the right one? [y/N] `,
        ),
      passphrase: ({ file }: { readonly file: string }) => askHidden(`Passphrase for ${file}: `),
    }),
  }
  const { warn } = ssh
  return { ssh, become, settings: { clock, warn, ...(timeoutFactor !== undefined && { timeoutFactor }) } }
}
