/**
 * The only import of ssh2. Loading it takes about 30 ms, so the command line loads this transport when a run needs it.
 * ssh2 is a CommonJS module whose named exports Node cannot detect, so it is imported as a whole.
 */
import ssh2, { type Client as Ssh2Client } from 'ssh2'

export const { Client, OpenSSHAgent } = ssh2
export const { parseKey } = ssh2.utils

/** Announces that no commands will be started on this connection. The types require a callback, with which the server would answer. */
export function sendNoMoreSessions(client: Ssh2Client): void {
  Reflect.apply(client.openssh_noMoreSessions, client, [])
}
