import type { KeyPair } from '../model/fields.ts'

export interface Renewing {
  /** Whatever certificates have left. @default false: those that have little */
  readonly all?: boolean
  /** Only to look: others stand in for the new ones, and nothing is ordered or kept. @default false */
  readonly check?: boolean
}

interface Renewal extends Renewing {
  /** What was made anew, by the file of the certificate: nobody gets two. */
  readonly made: Map<string, KeyPair>
}

let underWay: Renewal | undefined

/**
 * From now on certificates that are asked for are made anew where they have little left, those of an ACME server too, which are
 * ordered at no other time; until the function that it returns is called.
 *
 * @example
 * const done = renewCertificates({ all: true })
 * const fresh = await (await authority('pki')).keyPair({ names: ['db1'] })
 * done()
 */
export function renewCertificates(how: Renewing = {}): () => void {
  underWay = { ...how, made: new Map() }
  return () => {
    underWay = undefined
  }
}

/** Undefined when certificates are taken as they are. */
export function renewal(): Renewal | undefined {
  return underWay
}
