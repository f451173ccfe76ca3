import type { Step } from 'provision-ts'
import { type Conflict, type Found, noConflicts } from '../../base/resources/conflicts.ts'
import { type Endpoint, formatEndpoint } from '../../endpoint.ts'
import { CONFIG } from './instance.ts'

const DEFAULTS = '/etc/default/haproxy'

interface HaproxyConflicts {
  readonly role: string
  readonly listens: readonly Endpoint[]
  /** Other files that the role replaces. @default none */
  readonly files?: readonly string[]
}

/** Refuses a host with another haproxy configuration, or with other programs on the ports. */
export function haproxyConflicts({ role, listens, files = [] }: HaproxyConflicts): Step {
  return noConflicts({
    role,
    config: CONFIG,
    others: [DEFAULTS],
    lines: '^(frontend|backend|listen)[[:space:]]|^[[:space:]]+bind[[:space:]]|^[[:space:]]*(CONFIG|EXTRAOPTS)=',
    files,
    ports: listens.map((one) => ({ ...one, configured: `bind ${formatEndpoint(one)}` })),
    own: ['haproxy', 'haproxy.service'],
    judge,
  })
}

function judge({ isOurs, lines }: Found): readonly Conflict[] {
  const elsewhere = lines.filter(
    ({ path, text }) =>
      path === DEFAULTS && (/EXTRAOPTS=.*-f\b/.test(text) || (/CONFIG=/.test(text) && !text.includes(CONFIG))),
  )
  const sections = isOurs
    ? []
    : lines.flatMap(({ path, text }) =>
        path === CONFIG && /^(?:frontend|backend|listen)\s/.test(text) ? [text.trim().split(/\s+#/)[0] ?? ''] : [],
      )
  return [
    ...(sections.length === 0
      ? []
      : [
          {
            what: `${CONFIG} has other sections: ${sections.join(', ')}`,
            next: 'The role replaces the whole file. Use another host; or move the file away if it is not needed.',
          },
        ]),
    ...elsewhere.map(({ text }) => ({
      what: `${DEFAULTS} makes haproxy read other files: ${text.trim()}`,
      next: 'Remove that line.',
    })),
  ]
}
