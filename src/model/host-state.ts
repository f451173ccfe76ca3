import { namesIn } from '../shell/script-parts.ts'
import { type Shell, sh } from '../shell/sh.ts'
import type { Handler } from './resource/handler.ts'
import { read } from './resource/read.ts'

/**
 * What a host is owed: a name in this directory for each handler that was notified and has not run. It is written before the
 * change that notifies and removed after the handler, so a run that is killed in between leaves the debt behind for the next.
 */
const HANDLERS = '/var/lib/provision/owed'

/** The names of the handlers that are owed. */
export const pendingHandlers = read(
  namesIn(HANDLERS),
  ({ stdout }) =>
    stdout
      .split('\n')
      .filter((name) => name !== '')
      .map(decodeURIComponent),
  { shared: true },
)

/** Notes the debt. */
export function recordHandlers(handlers: readonly Handler[]): Shell {
  return sh`mkdir -p -m 0700 ${HANDLERS} && touch -- ${handlers.map(fileOf)} && sync ${HANDLERS}`
}

/** The debt is paid. */
export function clearHandler(handler: Handler): Shell {
  return sh`rm -f -- ${fileOf(handler)}`
}

function fileOf({ name }: Handler): string {
  return `${HANDLERS}/${encodeURIComponent(name)}`
}

/**
 * What is to be taken back on a host: a script in this directory for each bracket that was opened around another host's changes.
 * It is written before the bracket is opened and removed when it was closed, so a run that is killed in between leaves the way
 * back behind, for the next run and for a person: `sh FILE`.
 */
const DRAINS = '/var/lib/provision/undo'

/** A bracket around a host: `web1`, `out of web`. */
export interface OpenDrain {
  readonly host: string
  readonly label: string
  /** Whether an earlier run has left it open. */
  readonly earlier?: boolean
}

/** The brackets that are open on a host. */
export const openDrains = read(
  namesIn(DRAINS),
  ({ stdout }): readonly OpenDrain[] =>
    stdout.split('\n').flatMap((name) => {
      const cut = name.indexOf(':')
      return cut <= 0
        ? []
        : [
            {
              host: decodeURIComponent(name.slice(0, cut)),
              label: decodeURIComponent(name.slice(cut + 1)),
              earlier: true,
            },
          ]
    }),
  { shared: true },
)

/** Writes the way back down. */
export function recordDrain(one: OpenDrain, scripts: readonly Shell[]): Shell {
  const path = drainFile(one)
  const text = [
    `# ${one.host} is ${one.label}. This takes it back; the next run of provision does so too.`,
    ...scripts.map(({ text }) => `(\n${text}\n) || exit 1`),
  ].join('\n')
  // A name with a dot is not listed: what a crash of the host cuts off is nobody's way back.
  const fresh = `${DRAINS}/.${nameOf(one)}`
  return sh`
mkdir -p -m 0700 ${DRAINS} && printf '%s\n' ${text} > ${fresh} && sync ${fresh} &&
mv -f -- ${fresh} ${path} && sync ${DRAINS}`
}

/** Takes it back, if that was not done already. */
export function undrain(one: OpenDrain): Shell {
  const path = drainFile(one)
  return sh`[ ! -e ${path} ] || { sh ${path} && rm -f -- ${path}; }`
}

/** For a person on that host. */
export function undrainCommand(one: OpenDrain): string {
  return sh`sh ${drainFile(one)} && rm ${drainFile(one)}`.text
}

function drainFile(one: OpenDrain): string {
  return `${DRAINS}/${nameOf(one)}`
}

function nameOf({ host, label }: OpenDrain): string {
  return `${encodeURIComponent(host)}:${encodeURIComponent(label)}`
}
