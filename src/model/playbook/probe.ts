import { type Duration, milliseconds } from '../../shell/duration.ts'
import { type Shell, sh } from '../../shell/sh.ts'

/** A condition that must become true on a host within a time limit. The host retries it without further round trips. */
export interface Probe {
  readonly label: string
  readonly script: Shell
  /** The time limit. @default `timeouts.probe` of the inventory, else 30 s */
  readonly timeout: Duration | undefined
}

interface ProbeOptions {
  readonly timeout?: Duration
}

/**
 * True if the command ends with status 0.
 *
 * @example probe('the queue is empty', sh`app queue --count | grep -qx 0`, { timeout: '1m' })
 */
export function probe(label: string, script: Shell, { timeout }: ProbeOptions = {}): Probe {
  return Object.freeze({ label, script, timeout })
}

/**
 * True if a request from the host itself to the address returns 2xx or 3xx. Needs curl on the host.
 *
 * @example http('http://127.0.0.1:8080/healthz', { timeout: '10s' })
 */
export function http(url: string, options: ProbeOptions = {}): Probe {
  // In a check, no answer in time (28) is an unknown result (75), and the check's limit is the only one.
  const script = sh`curl -fsS -o /dev/null --max-time "\${limit:-2}" ${url} || { code=$?; [ "$code" -ne 28 ] || code=75; exit "$code"; }`
  return probe(`GET ${url}`, script, options)
}

/**
 * A script that retries the probe until it succeeds; fails with the output of the last try. The time starts on the host. One answer may
 * take 5 s.
 */
export function probeScript({ script, timeout }: Probe): Shell {
  const own =
    timeout === undefined
      ? sh`\${PROVISION_PROBE_SECONDS:-30}`
      : sh`${Math.max(1, Math.ceil(milliseconds(timeout) / 1000))}`
  return sh`
percent=\${PROVISION_TIMEOUT_PERCENT:-100} limit=$(((5 * percent + 99) / 100))
read -r now _ </proc/uptime
end=$((\${now%%.*} + (${own} * percent + 99) / 100))
until said=$( ( ${script} ) 2>&1 </dev/null ); do
  read -r now _ </proc/uptime
  [ "\${now%%.*}" -lt "$end" ] || { printf '%s\n' "$said" >&2; exit 1; }
  sleep 0.2
done`
}
