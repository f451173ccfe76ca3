/**
 * Certificates: an authority of your own, orders to ACME servers, and PEM files from elsewhere.
 *
 * @module provision-ts/pki
 */
export { type AcmeOptions, acme } from './acme.ts'
export { type Authority, authority, renewCertificates } from './authority.ts'
export { type CertificateUse, certificateProblem } from './certificate-problem.ts'
export { pemFile, pemPair } from './files.ts'
