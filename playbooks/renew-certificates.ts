import { flag, playbook, withDescription } from 'provision-ts'
import { renewCertificates } from 'provision-ts/pki'
import { site } from './schema.ts'
import { backupTier, balancerTier, databaseHosts } from './site.ts'
import { databaseRoles } from './tiers/database.ts'

export default playbook(
  site,
  (values) => [...databaseHosts(values), ...databaseRoles(values), ...backupTier(values), ...balancerTier(values)],
  {
    description:
      'Brings the certificates to the hosts that show them, by reloads, one balancer after the other. Those with little left are made again, or ordered where they are of an ACME server; with --force all are. Certificates from elsewhere are taken as they are.',
    flags: { force: withDescription('renew all certificates, also those that are valid for long', flag) },
    prepare: ({ force }, { check }) => {
      renewCertificates({ all: force, check })
    },
  },
)
