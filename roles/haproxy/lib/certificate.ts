import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { InvalidParams, type KeyPair, type Secret } from 'provision-ts'

/**
 * Returns the file that haproxy reads: certificate, chain, key.
 *
 * @throws InvalidParams if clients would reject the certificate
 */
export function certificateBundle({ certificate, key }: KeyPair, domain: string, now = Date.now()): Secret {
  const leaf = parse(certificate)
  const refused = (what: string, next: string) =>
    new InvalidParams(`The certificate for ${domain} ${what}`, { where: 'certificate', next })
  if (!leaf.checkHost(domain))
    throw refused(
      `is not valid for that name but for ${leaf.subjectAltName ?? leaf.subject}`,
      'Use a certificate for the domain, or correct the domain.',
    )
  if (Date.parse(leaf.validTo) <= now)
    throw refused(`expired at ${leaf.validTo}`, 'Renew it, then run the same command again.')
  if (Date.parse(leaf.validFrom) > now)
    throw refused(`is not valid before ${leaf.validFrom}`, 'Check the clock of this machine.')
  if (!leaf.checkPrivateKey(privateKey(key)))
    throw refused('does not match its key', 'Use the key that the certificate was issued for.')
  return key.map((text) => `${certificate.trimEnd()}\n${text.trimEnd()}\n`)
}

function parse(certificate: string): X509Certificate {
  try {
    return new X509Certificate(certificate)
  } catch (error) {
    throw new InvalidParams('The certificate cannot be read.', {
      where: 'certificate',
      next: 'Give it as PEM: the certificate of the domain first, then its chain.',
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
      next: 'Give it as PEM without a passphrase.',
      cause: error,
    })
  }
}
