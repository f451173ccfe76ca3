import { Agent } from 'node:https'
import acme from 'acme-client'
import { Problem } from '../model/problem.ts'
import type { AcmeOptions } from './acme.ts'
import type { Issued } from './issue.ts'

export interface Order extends Omit<AcmeOptions, 'server'> {
  readonly server: string
  /** As PEM. */
  readonly accountKey: string
}

/** Milliseconds for each answer of the server. */
const PATIENCE = 30_000

/** Has an ACME server sign a certificate, with a key of its own. The balancers answer the server by themselves. */
export async function order({
  names,
  contact,
  termsAgreed,
  server,
  serverAuthority,
  accountKey,
}: Order): Promise<Issued> {
  const { defaults, interceptors } = acme.axios
  Object.assign(defaults, {
    timeout: PATIENCE,
    httpsAgent: serverAuthority === undefined ? undefined : new Agent({ ca: serverAuthority }),
  })
  // The library's own tries for a minute to reach a server, and then does not tell why it could not.
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
    const [key, csr] = await acme.crypto.createCsr(
      { altNames: [...names] },
      await acme.crypto.createPrivateEcdsaKey(),
    )
    const certificate = await client.auto({
      ...{ csr, termsOfServiceAgreed: termsAgreed, email: contact },
      challengePriority: ['http-01'],
      // From this machine the balancers may look different than from the server.
      skipChallengeVerification: true,
      challengeCreateFn: async () => {},
      challengeRemoveFn: async () => {},
    })
    return { certificate, key: key.toString() }
  } catch (error) {
    throw refused(error, names, new URL(server).host)
  }
}

function refused(error: unknown, names: readonly string[], server: string): Problem {
  const said = error instanceof Error ? error.message : String(error)
  // Of a server that was not there at all; its answers have a text alone.
  const unreachable = error instanceof Error && 'code' in error
  return new Problem(`${server} gave no certificate for ${names.join(', ')}`, {
    details: [said || (unreachable ? String(error.code) : 'It did not say why.')],
    next: unreachable
      ? 'Nothing was changed. See whether this machine reaches it, and trusts it.'
      : 'Nothing was changed. Each name has to lead to the balancers, who answer on port 80 once the site was provisioned with this account: see provision verify.',
    cause: error,
  })
}
