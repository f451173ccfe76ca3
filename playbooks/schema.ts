import {
  choice,
  cidr,
  credential,
  flag,
  type HostOf,
  hostname,
  hosts,
  type InventoryValues,
  integer,
  inventorySchema,
  keyPair,
  list,
  optional,
  port,
  record,
  text,
} from 'provision-ts'
import {
  distinctPriorities,
  freePorts,
  oneSeed,
  oneTierPerHost,
  oneVersion,
  validCertificates,
  validVip,
  votes,
} from './lib/rules.ts'

/** Where the application tells its metrics to `admins`. */
export const METRICS_PORT = 9464

/** What the playbooks of this system ask of any inventory. */
export const site = inventorySchema(
  {
    /** The name that clients ask for. */
    domain: hostname,
    /** The address that moves between the balancers. */
    vip: cidr,
    /** What the balancers show to clients: for the domain, with the chain above it. */
    certificate: keyPair,
    /**
     * The networks of those who look after the system: they alone see statistics and metrics, and reach hosts by ssh. The machine that
     * runs this, or the last host that it jumps over, has to be in one of them. Unless told, ssh is open to anybody with a key, and nobody
     * sees numbers.
     */
    admins: optional(list(cidr)),
    /** Whether hosts install security updates by themselves, without a restart of any service of this system; yes unless told. */
    updates: optional(flag),
    /** Who signed the certificates between the tiers, as PEM. */
    authority: text,
    passwords: record({
      /** Of the application's role in the database. */
      app: credential,
      /** Of the role that replicas connect with. */
      replication: credential,
    }),
    /**
     * Whether a write is acknowledged only when a second database host has it on its disk: nothing acknowledged is lost with the
     * primary, and writes wait while no replica follows, until somebody says `provision disable-sync-replication`. Yes with two database hosts unless told.
     */
    synchronous: optional(flag),
    /**
     * Seconds after a boot of a database host in which the others may come up too, before it starts as a primary without their answer; 15
     * unless told.
     */
    bootGrace: optional(integer({ min: 0, max: 3_600 })),
    /** How many sessions the database takes at once; 100 unless told. */
    connections: optional(integer({ min: 20, max: 10_000 })),
    lb: hosts(
      {
        /** The highest one alive holds the address. */
        priority: integer({ min: 1, max: 254 }),
        /** Where the address appears; the interface of the default route unless told. */
        interface: optional(text),
        /** Whether it answers clients at its own addresses, too; no unless told. */
        everywhere: optional(flag),
      },
      { atLeast: 2 },
    ),
    web: hosts({
      port,
      /** nginx's worker processes; one for each core unless told. */
      workers: optional(integer({ min: 1 })),
      /** Requests a second that one client may make of the application; no limit unless told. */
      rate: optional(integer({ min: 1 })),
    }),
    app: hosts({ port }),
    db: hosts(
      {
        /** PostgreSQL's major version; that of the host's Debian release unless told. */
        version: optional(choice(15, 17)),
        /** Where a new cluster begins. Afterwards the cluster itself is asked who is primary. */
        seed: flag,
        /**
         * Who replaces a primary that is gone: `manual` for a person, `automatic` for Patroni. The same for all; `manual` unless told.
         * Automatic failover needs three votes: three database hosts, or two and a host in `witness`.
         */
        failover: optional(choice('manual', 'automatic')),
        /** For its name and address, by `authority`. */
        certificate: keyPair,
      },
      { atLeast: 1 },
    ),
    /** Has a vote when two database hosts disagree, and no database. */
    witness: hosts(
      {
        /** For its name and address, by `authority`. */
        certificate: keyPair,
      },
      { optional: true },
    ),
    /** Keeps the backups of the database; without it there are none. */
    backup: hosts(
      {
        /** For its name and address, by `authority`. */
        certificate: keyPair,
        /** Encrypts the backups. It cannot be changed later, and who loses it has lost them. */
        passphrase: credential,
        /** How many full backups are kept, with all that builds on them; 2 unless told. */
        keepFull: optional(integer({ min: 1 })),
      },
      { optional: true },
    ),
  },
  ({ lb, db, vip, web, app, backup, witness, domain, certificate, authority, synchronous }) => [
    ...distinctPriorities(lb.hosts),
    ...validVip(vip, lb.hosts, [lb, web, app, db, witness, backup]),
    ...oneTierPerHost([lb, web, app, db, witness, backup]),
    ...freePorts('web', web.hosts, { 22: 'ssh' }),
    ...freePorts('app', app.hosts, { 22: 'ssh', [METRICS_PORT]: 'metrics' }),
    ...oneSeed(db.hosts),
    ...oneVersion(db.hosts),
    ...votes({ db: db.hosts, witness: witness.hosts, synchronous }),
    ...validCertificates({ domain, certificate, authority }, [db, witness, backup]),
    backup.hosts.length > 1 && 'backup.hosts: one host keeps the backups',
  ],
)

/** The values of an inventory that fits the schema. */
export type Site = InventoryValues<typeof site.entries>

export type DatabaseHost = HostOf<Site, 'db'>
