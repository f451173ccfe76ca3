import type { UnreachableReason } from '../errors.ts'

/** The parts of an {@link Unreachable}. */
export interface Failure {
  readonly what: string
  readonly reason: UnreachableReason
  readonly details?: readonly string[]
  readonly next?: string
}

/** @param from ` from JUMP HOST`, or nothing */
type Describe = (name: string, from: string) => Failure

/** Errors that both SSH transports report, in the same words. */
export const FAILURES = {
  address: (name, from) => ({
    what: `${name}: no address was found${from}`,
    reason: 'address',
    next: 'Check the name and the name server, or set the address.',
  }),
  refused: (name, from) => ({
    what: `${name} refuses the connection${from}`,
    reason: 'refused',
    next: 'Check that the host is up, that sshd runs, and the port.',
  }),
  prohibited: (name, from) => ({
    what: `The jump host does not forward to ${name}${from}`,
    reason: 'refused',
    next: 'See AllowTcpForwarding and PermitOpen in the sshd_config of the jump host.',
  }),
  noRoute: (name, from) => ({
    what: `There is no route to ${name}${from}`,
    reason: 'no-route',
    next: 'Check the network, a VPN, and the address.',
  }),
  timeout: (name, from) => ({
    what: `${name} does not answer${from}`,
    reason: 'timeout',
    next: 'Check that the host is up, and that no firewall drops the packets.',
  }),
  dropped: (name) => ({
    what: `${name} closed the connection before the SSH greeting`,
    reason: 'dropped',
    next: 'Too many pending logins (MaxStartups in sshd_config), a ban (fail2ban), or not an SSH server.',
  }),
  tooManyKeys: (name) => ({
    what: `${name} closed the connection after too many keys`,
    reason: 'authentication',
    next: 'Set identityFile to the right key, and IdentitiesOnly yes in ssh_config.',
  }),
  slowLogin: (name) => ({
    what: `${name} does not finish the login`,
    reason: 'timeout',
    next: 'The host, its name service or PAM may hang, or a hardware key waits for a touch.',
  }),
  keyNotPinned: (name) => ({
    what: `${name} presents another host key than the inventory`,
    reason: 'host-key',
    next: `If the host was reinstalled, set hostKey to the new fingerprint. ${INTERCEPTED}`,
  }),
  keyRevoked: (name) => ({
    what: `${name} presents a revoked host key`,
    reason: 'host-key',
    next: 'Create a new host key (ssh-keygen -A after removing the old one); a revoked key is never accepted.',
  }),
  keyChanged: (name) => ({
    what: `The host key of ${name} has changed`,
    reason: 'host-key',
    next: `If the host was reinstalled, remove the old key with ssh-keygen -R. ${INTERCEPTED}`,
  }),
  keyUnknown: (name) => ({ what: `The host key of ${name} is unknown`, reason: 'host-key' }),
} satisfies Readonly<Record<string, Describe>>

export const INTERCEPTED = 'Otherwise the connection may be intercepted.'

/** The next step for an unknown host key. @param login logs in manually */
export function acceptKey(login: string): string {
  return `Compare the fingerprint with that on the host, then log in once with ${login}, set it as hostKey, or run with --accept-new-host-keys.`
}
