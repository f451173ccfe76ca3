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
      'Renews certificates that expire soon, from the own CA or the ACME server, and installs them by reloads, one balancer after the other. Certificates from other sources are installed as they are.',
    flags: { force: withDescription('renew all certificates, also those that do not expire soon', flag) },
    prepare: ({ force }, { check }) => {
      renewCertificates({ all: force, check })
    },
  },
)
