import { renewCertificates } from 'provision-ts/stack'

/** Renews certificates that expire soon, from the own CA or the ACME server, and installs them by reloads, one balancer after the other. */
export default renewCertificates()
