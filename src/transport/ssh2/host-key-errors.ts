import { quote } from '../../shell/quote.ts'
import { Unreachable } from '../errors.ts'
import { fingerprint, keyTypeName } from '../ssh/encoding.ts'
import type { KnownKey } from './known-hosts.ts'
import { address, type LoginSettings } from './settings.ts'

export interface PresentedKey {
  readonly type: string
  readonly fingerprint: string
}

/** The messages about a host's key. */
export function hostKeyErrors(settings: LoginSettings, key: PresentedKey) {
  const { name, host, hostKey } = settings
  const shown = `shown by ${host}: ${keyTypeName(key.type)} ${key.fingerprint}`
  const trouble = (what: string, details: readonly string[], next: string) =>
    new Unreachable(what, {
      reason: 'host-key',
      details: [shown, ...details, `we asked ${address(settings)}`],
      next,
    })

  return {
    notPinned: (pin: string) =>
      trouble(
        `${name} shows another host key than the inventory says`,
        [`inventory: ${pin}`],
        'If the host was set up anew, write the new fingerprint into hostKey; if not, somebody may stand between you and it.',
      ),
    revoked: (line: KnownKey) =>
      trouble(
        `${name} shows a host key that was revoked`,
        [`revoked at ${line.file}:${line.line}`],
        'Give the host a new key (ssh-keygen -A after removing the old one); a revoked key is never accepted.',
      ),
    changed: (lines: readonly KnownKey[]) =>
      trouble(
        `The host key of ${name} has changed`,
        lines.map(
          (line) => `known: ${keyTypeName(line.type)} ${fingerprint(line.key)} (${line.file}:${line.line})`,
        ),
        `If the host was set up anew: ${lines.map(forget(settings)).filter(unique).join(' && ')} — if not, somebody may stand between you and it.`,
      ),
    onlyAuthority: (line: KnownKey) =>
      trouble(
        `${name} is known by a certificate authority only, and ssh2 cannot check host certificates`,
        [`@cert-authority at ${line.file}:${line.line}`],
        `Compare the fingerprint with the host's own and give it as hostKey, or add the key itself to known_hosts.`,
      ),
    unknown: () =>
      trouble(
        `The host key of ${name} is not known`,
        [
          `not found as ${hostKey.name} in ${[...hostKey.userFiles, ...hostKey.globalFiles].join(', ') || 'any file'}`,
        ],
        `Compare the fingerprint with the host's own, then log in once with ssh${settings.port === 22 ? '' : ` -p ${settings.port}`} ${quote(host)}, give it as hostKey, or run with --accept-new-host-keys.`,
      ),
  }
}

function forget({ hostKey }: LoginSettings): (line: KnownKey) => string {
  return ({ file }) => `ssh-keygen -f ${quote(file)} -R ${quote(hostKey.name)}`
}

function unique<T>(value: T, index: number, all: readonly T[]): boolean {
  return all.indexOf(value) === index
}
