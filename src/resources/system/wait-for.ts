import { type Probe, probe, probeScript } from '../../model/playbook/probe.ts'
import { read } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import type { Duration } from '../../shell/duration.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { checkPath } from '../arguments.ts'
import type { AbsolutePath } from '../files/stat.ts'

/** A condition of {@link waitFor}. */
export type Awaited =
  | Probe
  | {
      /** A TCP port that accepts connections. */
      readonly port: number
      /** @default '127.0.0.1' */
      readonly address?: string
      /** @default `timeouts.probe` of the inventory, else 30 s */
      readonly timeout?: Duration
    }
  | {
      /** A path that exists. */
      readonly path: AbsolutePath
      readonly timeout?: Duration
    }

/**
 * Waits until a condition is true on the host, and fails if it is not in time. Nothing happens if it is true already.
 *
 * @throws TypeError for an invalid port or path
 * @example waitFor({ port: 5432 })
 * @example waitFor({ path: '/run/app/socket', timeout: '1m' })
 * @example waitFor(http('http://127.0.0.1:8080/healthz'))
 */
export function waitFor(condition: Awaited, options: Omit<StepOptions, 'timeout'> = {}): Step {
  return waitStep(asProbe(condition), options)
}

function asProbe(condition: Awaited): Probe {
  if ('script' in condition) return condition
  const { timeout } = condition
  const limit = timeout === undefined ? {} : { timeout }
  if ('path' in condition) {
    checkPath('waitFor', condition.path, { root: true })
    return probe(
      `path ${condition.path}`,
      sh`[ -e ${condition.path} ] || { echo ${`${condition.path} is missing`}; false; }`,
      limit,
    )
  }
  const { port, address = '127.0.0.1' } = condition
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new TypeError(`waitFor: ${port} is not a port from 1 to 65535`)
  return probe(`port ${address.includes(':') ? `[${address}]` : address}:${port}`, connect(address, port), limit)
}

/** dash cannot open connections; each Debian has bash. */
function connect(address: string, port: number): Shell {
  return sh`timeout 5 bash -c ': <"/dev/tcp/$0/$1"' ${address} ${port}`
}

const waitStep = resource<Probe, boolean>('wait', {
  id: ({ label }) => label,
  read: ({ script }) => read(silent(script), ({ code }) => code === 0),
  diff: (_probe, holds) => (holds ? undefined : { action: 'run', fields: [] }),
  apply: (awaited) => [{ script: probeScript(awaited), timeout: '2h' }],
  simulate: ({ script }, host) => host.holds(silent(script).text),
})

function silent(script: Shell): Shell {
  return sh`{ ${script}
} >/dev/null 2>&1`
}
