import type { Handler } from '../model/handler.ts'
import { read } from '../model/read.ts'
import { namesIn } from '../shell/names-in.ts'
import { type Shell, sh } from '../shell/sh.ts'

/**
 * What a host is owed: a name in this directory for each handler that was notified and has not run. It is written before the
 * change that notifies and removed after the handler, so a run that is killed in between leaves the debt behind for the next.
 */
const DIRECTORY = '/var/lib/provision/owed'

/** The names of the handlers that are owed. */
export const owed = read(
  namesIn(DIRECTORY),
  ({ stdout }) =>
    stdout
      .split('\n')
      .filter((name) => name !== '')
      .map(decodeURIComponent),
  { shared: true },
)

/** Notes the debt. */
export function owe(handlers: readonly Handler[]): Shell {
  return sh`mkdir -p -m 0700 ${DIRECTORY} && touch -- ${handlers.map(fileOf)} && sync ${DIRECTORY}`
}

/** The debt is paid. */
export function paid(handler: Handler): Shell {
  return sh`rm -f -- ${fileOf(handler)}`
}

function fileOf({ name }: Handler): string {
  return `${DIRECTORY}/${encodeURIComponent(name)}`
}
