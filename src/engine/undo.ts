import { read } from '../model/read.ts'
import { namesIn } from '../shell/names-in.ts'
import { type Shell, sh } from '../shell/sh.ts'

/**
 * What is to be taken back on a host: a script in this directory for each bracket that was opened around another host's changes.
 * It is written before the bracket is opened and removed when it was closed, so a run that is killed in between leaves the way
 * back behind, for the next run and for a person: `sh FILE`.
 */
const DIRECTORY = '/var/lib/provision/undo'

/** A bracket around a host: `web1`, `out of web`. */
export interface Bracketed {
  readonly host: string
  readonly label: string
  /** Whether an earlier run has left it open. */
  readonly earlier?: boolean
}

/** The brackets that are open on a host. */
export const undos = read(
  namesIn(DIRECTORY),
  ({ stdout }): readonly Bracketed[] =>
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
export function noted(one: Bracketed, scripts: readonly Shell[]): Shell {
  const path = undoPath(one)
  const text = [
    `# ${one.host} is ${one.label}. This takes it back; the next run of provision does so too.`,
    ...scripts.map(({ text }) => `(\n${text}\n) || exit 1`),
  ].join('\n')
  // A name with a dot is not listed: what a crash of the host cuts off is nobody's way back.
  const fresh = `${DIRECTORY}/.${nameOf(one)}`
  return sh`
mkdir -p -m 0700 ${DIRECTORY} && printf '%s\n' ${text} > ${fresh} && sync ${fresh} &&
mv -f -- ${fresh} ${path} && sync ${DIRECTORY}`
}

/** Takes it back, if that was not done already. */
export function undo(one: Bracketed): Shell {
  const path = undoPath(one)
  return sh`[ ! -e ${path} ] || { sh ${path} && rm -f -- ${path}; }`
}

/** For a person on that host. */
export function undoByHand(one: Bracketed): string {
  return sh`sh ${undoPath(one)} && rm ${undoPath(one)}`.text
}

function undoPath(one: Bracketed): string {
  return `${DIRECTORY}/${nameOf(one)}`
}

function nameOf({ host, label }: Bracketed): string {
  return `${encodeURIComponent(host)}:${encodeURIComponent(label)}`
}
