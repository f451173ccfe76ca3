/**
 * The one door to ssh2. Importing it takes about 30 ms, so the command line imports `ssh.ts` when a run has a host to reach.
 * ssh2 is a CommonJS module whose names Node cannot see from outside: it is imported whole.
 */
import ssh2, { type Client as Ssh2Client } from 'ssh2'

export const { Client, OpenSSHAgent } = ssh2
export const { parseKey } = ssh2.utils

/** Promises to start no commands on this connection. The types want a callback here, with which the server would answer. */
export function promiseNoSessions(client: Ssh2Client): void {
  Reflect.apply(client.openssh_noMoreSessions, client, [])
}
