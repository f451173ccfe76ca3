import { file, pkg, restarted, role } from 'provision-ts'

export interface BaseParams {
  /** MiB that the journal may take on disk, and half of that in memory. @default 512 */
  readonly journal?: number
}

/** What every host of the system has, whatever it serves. */
export const base = role('base', ({ journal = 512 }: BaseParams) => [
  pkg('ca-certificates', 'curl'),
  file('/etc/systemd/journald.conf.d/provision.conf', journald(journal), {
    notify: restarted('systemd-journald'),
  }),
])

/** Without a limit the journal takes a tenth of the disk, up to 4 GB. */
function journald(journal: number): string {
  return `[Journal]\nSystemMaxUse=${journal}M\nRuntimeMaxUse=${Math.ceil(journal / 2)}M\n`
}
