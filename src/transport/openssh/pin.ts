import { execFile } from 'node:child_process'
import { type Arguments, asOptions, NOWHERE } from './arguments.ts'

/**
 * Options that have ssh accept one host key alone, known by its fingerprint: of known_hosts files none is read, and what ssh asks in
 * their place vouches for the key that it was shown if, and only if, its fingerprint is the one. One set of options for each type
 * of key. Needs OpenSSH 8.5, and says so otherwise.
 */
export async function pinnedHostKeyArguments(program: string, pin: string): Promise<readonly Arguments[]> {
  const asked = `/bin/sh -c '${VOUCH}' sh ${pin.replace(/=+$/, '')} %f %H %t %K`
  const common = asOptions({
    KnownHostsCommand: asked,
    UserKnownHostsFile: NOWHERE,
    GlobalKnownHostsFile: NOWHERE,
    StrictHostKeyChecking: 'yes',
    // Each of these would vouch for a host in a way of its own.
    VerifyHostKeyDNS: 'no',
    GSSAPIKeyExchange: (await knowsKerberos(program)) ? 'no' : undefined,
    UpdateHostKeys: 'no',
  })
  return FAMILIES.map((algorithms) => [...common, '-o', `HostKeyAlgorithms=${algorithms}`])
}

/** On stderr, what {@link opensshTrouble} reads. Before the connection ssh asks with NONE for all. Neither quotes nor percent signs in here. */
const VOUCH = 'if [ $1 = $2 ]; then echo $3 $4 $5; else [ $2 = NONE ] || echo shown: $4 $2 >&2; fi'

/** Without certificates: the fingerprint is the key's. */
const FAMILIES = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521',
  'rsa-sha2-512,rsa-sha2-256',
]

/** Not all builds have it, and those that have not refuse the option. */
function knowsKerberos(program: string): Promise<boolean> {
  const known = kerberos.get(program)
  if (known) return known
  const answer = new Promise<boolean>((resolve) => {
    execFile(program, ['-Q', 'kex-gss'], (error, stdout) => resolve(!error && stdout !== ''))
  })
  kerberos.set(program, answer)
  return answer
}

const kerberos = new Map<string, Promise<boolean>>()
