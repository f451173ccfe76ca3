import {
  choice,
  cidr,
  credential,
  flag,
  hostname,
  hosts,
  integer,
  keyPair,
  optional,
  port,
  record,
  stack,
  text,
} from 'provision-ts'

/** What the playbooks of this system ask of any inventory. */
export const site = stack(
  {
    /** The name that clients ask for. */
    domain: hostname,
    /** The address that moves between the balancers. */
    vip: cidr,
    /** What the balancers show to clients: for the domain, with the chain above it. */
    certificate: keyPair,
    /** Who signed the certificates between the tiers, as PEM. */
    authority: text,
    passwords: record({
      /** Of the application's role in the database. */
      app: credential,
      /** Of the role that replicas connect with. */
      replication: credential,
    }),
    lb: hosts(
      {
        /** The highest one alive holds the address. */
        priority: integer({ min: 1, max: 254 }),
        /** Where the address appears; the interface of the default route unless told. */
        interface: optional(text),
      },
      { atLeast: 2 },
    ),
    web: hosts({
      port,
      /** nginx's worker processes; one for each core unless told. */
      workers: optional(integer({ min: 1 })),
    }),
    app: hosts({ port }),
    db: hosts(
      {
        /** PostgreSQL's major version; that of the host's Debian release unless told. */
        version: optional(choice(15, 17)),
        /** Where a new cluster begins. Afterwards the cluster itself is asked who is primary. */
        seed: flag,
        /** For its name and address, by `authority`. */
        certificate: keyPair,
      },
      { atLeast: 1 },
    ),
  },
  ({ lb, db, vip, web, app }) => [
    new Set(lb.hosts.map(({ priority }) => priority)).size < lb.hosts.length &&
      'lb.hosts: two balancers have the same priority, so both would hold the address',
    db.hosts.filter(({ seed }) => seed).length !== 1 && 'db.hosts: exactly one host should have seed: true',
    [lb, web, app, db].some(({ hosts: all }) => all.some(({ address }) => address === vip.split('/')[0])) &&
      'vip: is the address of a host; it should belong to none',
  ],
)
