import { Agent } from 'node:https'
import acme from 'acme-client'
import { Problem } from '../model/problem.ts'
import type { Issued } from './issue.ts'

export interface CertificateOrder {
  /** DNS names of the certificate. Each must resolve to the balancers, which answer the challenge on port 80. */
  readonly names: readonly [string, ...string[]]
  /** You have read the terms of the authority and agree to them. */
  readonly termsAgreed: true
  /** The e-mail address of the account. */
  readonly contact: string
  /** The authority of the ACME server's own certificate, as PEM. @default the authorities that Node.js trusts */
  readonly serverAuthority?: string
  readonly server: string
  /** As PEM. */
  readonly accountKey: string
}

/** Milliseconds for each answer of the server. */
const TIMEOUT = 30_000

/** Orders a certificate with a new key from an ACME server. The balancers answer the HTTP challenge. */
export async function orderCertificate(order: CertificateOrder): Promise<Issued> {
  const { names, contact, termsAgreed, server, serverAuthority, accountKey } = order
  const { defaults, interceptors } = acme.axios
  Object.assign(defaults, {
    timeout: TIMEOUT,
    httpsAgent: serverAuthority === undefined ? undefined : new Agent({ ca: serverAuthority }),
  })
  // The library's own interceptor retries for a minute and then drops the reason.
  interceptors.response.clear()
  interceptors.response.use(
    undefined,
    (error: { readonly response?: unknown }) => error.response ?? Promise.reject(error),
  )
  const client = new acme.Client({
    ...{ directoryUrl: server, accountKey },
    ...{ backoffAttempts: 12, backoffMin: 500, backoffMax: 10_000 },
  })
  process.stderr.write(`Ordering a certificate for ${names.join(', ')} from ${new URL(server).host}\n`)
  try {
    const [key, csr] = await acme.crypto.createCsr({ altNames: [...names] }, await acme.crypto.createPrivateEcdsaKey())
    const certificate = await client.auto({
      ...{ csr, termsOfServiceAgreed: termsAgreed, email: contact },
      challengePriority: ['http-01'],
      // This machine may resolve the names differently than the server does.
      skipChallengeVerification: true,
      challengeCreateFn: async () => {},
      challengeRemoveFn: async () => {},
    })
    return { certificate, key: key.toString() }
  } catch (error) {
    throw orderProblem(error, names, new URL(server).host)
  }
}

function orderProblem(error: unknown, names: readonly string[], server: string): Problem {
  const message = error instanceof Error ? error.message : String(error)
  // Only connection errors have a code; the server's own answers are text alone.
  const unreachable = error instanceof Error && 'code' in error
  return new Problem(`${server} issued no certificate for ${names.join(', ')}`, {
    details: [message || (unreachable ? String(error.code) : 'It gave no reason.')],
    next: unreachable
      ? 'Nothing was changed. Check that this machine reaches the server and trusts its certificate.'
      : 'Nothing was changed. Each name must resolve to the balancers, and they must answer on port 80 after the site was provisioned with this account: see provision verify.',
    cause: error,
  })
}
