import type { Step } from '../../src/model/resource/step.ts'
import { sha256 } from '../../src/resources/files/content.ts'
import type { Entry } from '../../src/resources/files/stat.ts'
import type { Installed } from '../../src/resources/packages/state.ts'
import { Secret } from '../../src/shell/secret.ts'

/** The diff and the commands of a step for a state of the host. */
export interface Row {
  readonly step: Step
  readonly have: unknown
  /** Action and fields: `change mode 0600 → 0644`; undefined if the host is in the declared state. */
  readonly differs?: string
  /** The commands, if they are constant. */
  readonly runs?: readonly string[]
  readonly refuses?: string
}

export const entry = (of: Partial<Entry>): Entry => ({
  type: 'file',
  mode: '0644',
  owner: 'root',
  group: 'root',
  uid: '0',
  gid: '0',
  size: 1,
  target: '',
  sha256: undefined,
  ...of,
})
export const there = entry({ sha256: sha256('text') })
export const dir = entry({ type: 'directory', mode: '0755' })
export const special = entry({ type: 'device' })
export const version = (version: string | undefined): Installed => ({
  ...{ version, state: undefined, guarded: false },
  ...{ automatic: false, held: false, provider: undefined },
  ...{ hasConfiguration: false, essential: false },
})
export const packages = (...all: readonly Installed[]) => [
  { packages: all, others: { removed: [], installed: [] } },
  [],
]
export const running = {
  ...{ active: true, enabled: true, needsReload: false },
  ...{ masked: false, isLoaded: true, isInactiveAfterRun: false },
  ...{ changed: [], lingers: true },
}
export const secret = new Secret(() => 'hunter2')
export const build = { directory: '/build', id: 'abc' }
export const [hash, secretHash] = [sha256('text').slice(0, 12), sha256('old').slice(0, 12)]

export const start = (name: string) =>
  `systemctl start ${name} && systemctl is-active -q ${name} || { journalctl -q --no-pager -o cat -n 15 -u ${name}; systemctl is-active ${name}; exit 1; }`
