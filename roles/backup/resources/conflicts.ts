import type { Step } from 'provision-ts'
import { type Conflict, type Found, noConflicts } from '../../base/resources/conflicts.ts'
import type { BackupHost } from '../params.ts'

interface BackupConflicts {
  readonly config: string
  readonly address: string
  readonly port: number
  /** Other files that the role replaces. */
  readonly files: readonly string[]
  /** The hosts whose names get a line in /etc/hosts. */
  readonly others: readonly BackupHost[]
}

/** Debian's file. pgBackRest ignores it once the role's file exists. */
const PACKAGED = '/etc/pgbackrest.conf'
const HOSTS = '/etc/hosts'

/** Refuses a host with stanzas of another configuration, other addresses for the names of the site, or other programs on the port. */
export function backupConflicts({ config, address, port, files, others }: BackupConflicts): Step {
  const names = others.map(({ name }) => name.replaceAll('.', '[.]')).join('|')
  return noConflicts({
    role: 'backup',
    config,
    others: [PACKAGED, HOSTS],
    lines: `^[[][^]]+[]]|^tls-server-address=|^[^#[:space:]]+[[:space:]]+(${names})$`,
    files,
    ports: [{ address, port, configured: `tls-server-address=${address}` }],
    own: ['pgbackrest', 'pgbackrest.service'],
    judge: (found) => judge(found, others),
  })
}

function judge({ isOurs, lines }: Found, others: readonly BackupHost[]): readonly Conflict[] {
  if (isOurs) return []
  const stanzas = lines.filter(({ path, text }) => path !== HOSTS && /^\[(?!global\b)/.test(text))
  const renamed = lines.filter(({ path, text }) => {
    const [address, name] = text.split(/\s+/)
    return path === HOSTS && others.some((one) => one.name === name && one.address !== address)
  })
  return [
    ...stanzas.map(({ path, text }) => ({
      what: `${path} has the stanza ${text}, which pgBackRest would no longer see`,
      next: 'Move such stanzas to a file in /etc/pgbackrest/conf.d, where they stay in use, or remove them.',
    })),
    ...renamed.map(({ text }) => ({
      what: `${HOSTS} has the line "${text}", which the role would replace`,
      next: 'Correct the line, or remove it.',
    })),
  ]
}
