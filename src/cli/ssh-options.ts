import type { Become } from '../model/host.ts'
import { Secret } from '../shell/secret.ts'
import type { SshOptions } from '../transport/ssh.ts'
import { askHidden, askYes } from './prompt.ts'

interface Flags {
  readonly acceptNewHostKeys: boolean
  readonly askBecomePassword: boolean
}

/** What the command line and a person at the terminal add to the inventory's word on how to reach hosts. */
export async function sshOptions({
  acceptNewHostKeys,
  askBecomePassword,
}: Flags): Promise<{ readonly ssh: SshOptions; readonly become: Become }> {
  const person = process.stdin.isTTY && process.stderr.isTTY
  const become: Become = askBecomePassword ? { password: await askHidden('Password for sudo: ') } : {}
  const ssh: SshOptions = {
    warn: (text) => process.stderr.write(`warning: ${Secret.redact(text)}\n`),
    ...(acceptNewHostKeys && { hostKeys: 'accept-new' }),
    ...(person && {
      ask: (question) =>
        askYes(
          `${question.host} shows the key ${question.fingerprint}, which is not known yet. Is it the right one? [y/N] `,
        ),
      passphrase: ({ file }) => askHidden(`Passphrase for ${file}: `),
    }),
  }
  return { ssh, become }
}
