import { execFileSync } from 'node:child_process'

/** Returns a certificate for a name, valid for some days from now on, as PEM. */
export function selfSigned(name: string, days: number): string {
  const text = execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-days', String(days), '-subj', `/CN=${name}`, '-keyout', '/dev/null'],
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  )
  return text.trim()
}
