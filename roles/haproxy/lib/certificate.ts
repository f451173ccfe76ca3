import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { InvalidParams, type KeyPair, type Secret } from 'provision-ts'

/**
 * The one file that haproxy wants: certificate, chain, key.
 *
 * @throws Refusal for a pair that no client could be served with
 */
export function certificateBundle({ certificate, key }: KeyPair, domain: string, now = Date.now()): Secret {
  const leaf = parsed(certificate)
  const refused = (what: string, next: string) =>
    new InvalidParams(`The certificate for ${domain} ${what}`, { where: 'certificate', next })
  if (!leaf.checkHost(domain))
    throw refused(
      `is not for that name, but for ${leaf.subjectAltName ?? leaf.subject}`,
      'Give the one for the domain, or name the domain that it is for.',
    )
  if (Date.parse(leaf.validTo) <= now)
    throw refused(`is no longer valid since ${leaf.validTo}`, 'Renew it, then run the same command again.')
  if (Date.parse(leaf.validFrom) > now)
    throw refused(`is not valid before ${leaf.validFrom}`, 'Look at the clock of this machine.')
  if (!leaf.checkPrivateKey(privateKey(key)))
    throw refused('does not belong to its key', 'Give the key that the certificate was made with.')
  return key.map((text) => `${certificate.trimEnd()}\n${text.trimEnd()}\n`)
}

function parsed(certificate: string): X509Certificate {
  try {
    return new X509Certificate(certificate)
  } catch (error) {
    throw new InvalidParams('The certificate cannot be read.', {
      where: 'certificate',
      next: 'It should be PEM: the certificate of the domain first, then the chain above it.',
      cause: error,
    })
  }
}

function privateKey(key: Secret): KeyObject {
  const text = key.reveal()
  try {
    return createPrivateKey(text)
  } catch (error) {
    throw new InvalidParams("The certificate's key cannot be read.", {
      where: 'certificate.key',
      next: 'It should be PEM, and without a passphrase.',
      cause: error,
    })
  }
}
