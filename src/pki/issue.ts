// The library uses dependency injection by decorators, which needs this import first.
import 'reflect-metadata'

import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

const DAY = 86_400_000

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** A certificate and its key, as PEM. */
export interface Issued {
  readonly certificate: string
  readonly key: string
}

/** A self-signed certificate that may sign others, valid for ten years. */
export async function issueAuthority(name: string): Promise<Issued> {
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: ALGORITHM,
    ...validFor(3650),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return pem(certificate, keys)
}

/** A certificate for TLS servers and clients, valid for one year: browsers allow no more. */
export async function issueLeaf(
  issuer: Issued,
  { names, addresses }: { readonly names: readonly string[]; readonly addresses: readonly string[] },
): Promise<Issued> {
  const keys = await newKeys()
  const above = new x509.X509Certificate(issuer.certificate)
  const { ExtendedKeyUsage } = x509
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${names[0]}`,
    issuer: above.subject,
    publicKey: keys.publicKey,
    signingKey: await signingKey(issuer.key),
    signingAlgorithm: ALGORITHM,
    ...validFor(365),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...names.map((value) => ({ type: 'dns', value }) as const),
        ...addresses.map((value) => ({ type: 'ip', value }) as const),
      ]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(above.publicKey),
    ],
  })
  return pem(certificate, keys)
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

function signingKey(key: string): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(key), ALGORITHM, false, ['sign'])
}

/** Starts an hour ago, because clocks differ. */
function validFor(days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(Date.now() - DAY / 24), notAfter: new Date(Date.now() + days * DAY) }
}

async function pem(certificate: x509.X509Certificate, { privateKey }: webcrypto.CryptoKeyPair): Promise<Issued> {
  const key = await webcrypto.subtle.exportKey('pkcs8', privateKey)
  return { certificate: `${certificate.toString('pem')}\n`, key: `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n` }
}
