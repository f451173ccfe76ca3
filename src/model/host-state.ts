// cspell:ignore owed
import { namesIn, type Shell, sh } from '../shell/sh.ts'
import type { Handler } from './resource/handler.ts'
import { type Read, read } from './resource/read.ts'

/*
 * The state that runs keep on a host, in /var/lib/provision:
 *
 * pending-handlers/  a file for each handler that was notified and has not run; written before the change, removed after the handler
 * drains/            a script for each drain that this host has done for another one; it undoes the drain
 *
 * A run that is killed leaves them, so the next run can finish its work. Release 0.1 used other names: they are read for one release.
 */
const HANDLERS = '/var/lib/provision/pending-handlers'
const DRAINS = '/var/lib/provision/drains'
const OLD_HANDLERS = '/var/lib/provision/owed'
const OLD_DRAINS = '/var/lib/provision/undo'

/** The names of the handlers that are pending. */
export const pendingHandlers: Read<readonly string[]> = read(
  sh`${namesIn(HANDLERS)}; ${namesIn(OLD_HANDLERS)}`,
  ({ stdout }) => [...new Set(linesOf(stdout).map(decodeURIComponent))],
  { shared: true },
)

export function recordHandlers(handlers: readonly Handler[]): Shell {
  const files = handlers.map(({ name }) => `${HANDLERS}/${encodeURIComponent(name)}`)
  return sh`mkdir -p -m 0700 ${HANDLERS} && touch -- ${files} && sync ${HANDLERS}`
}

export function clearHandler({ name }: Handler): Shell {
  return sh`rm -f -- ${[HANDLERS, OLD_HANDLERS].map((directory) => `${directory}/${encodeURIComponent(name)}`)}`
}

/** A drain that was not undone. */
export interface OpenDrain {
  /** The host that is drained. */
  readonly host: string
  /** The label of the drain: `backend web`. */
  readonly label: string
  /** The script that undoes the drain. */
  readonly file: string
  /** True if an earlier run has left it. */
  readonly pending: boolean
}

export function openDrain(host: string, label: string): OpenDrain {
  const file = `${DRAINS}/${encodeURIComponent(host)}:${encodeURIComponent(label)}`
  return { host, label, file, pending: false }
}

/** The drains that earlier runs have left on a host. */
export const openDrains: Read<readonly OpenDrain[]> = read(
  sh`${namesIn(DRAINS)}; echo /; ${namesIn(OLD_DRAINS)}`,
  ({ stdout }) => {
    const lines = linesOf(stdout)
    const cut = lines.indexOf('/')
    return lines.flatMap((name, i) => {
      const [host, label] = name.split(':')
      if (!host || label === undefined) return []
      const file = `${i < cut ? DRAINS : OLD_DRAINS}/${name}`
      return [{ host: decodeURIComponent(host), label: decodeURIComponent(label), file, pending: true }]
    })
  },
  { shared: true },
)

/** Writes the script that undoes a drain. */
export function recordDrain({ host, label, file }: OpenDrain, undrain: readonly Shell[]): Shell {
  const text = [
    `# ${host} is drained: ${label}. This script undoes that; so does the next run of provision.`,
    ...undrain.map(({ text }) => `(\n${text}\n) || exit 1`),
  ].join('\n')
  // A name with a dot is not listed, so an incomplete file is ignored.
  const incomplete = file.replace(/[^/]*$/, '.$&')
  return sh`
mkdir -p -m 0700 ${DRAINS} && printf '%s\n' ${text} > ${incomplete} && sync ${incomplete} &&
mv -f -- ${incomplete} ${file} && sync ${DRAINS}`
}

/** Undoes a drain, unless that was done already. */
export function undrain({ file }: OpenDrain): Shell {
  return sh`[ ! -e ${file} ] || { sh ${file} && rm -f -- ${file}; }`
}

/** The command for an administrator on the host. */
export function undrainCommand({ file }: OpenDrain): string {
  return sh`sh ${file} && rm ${file}`.text
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '')
}
