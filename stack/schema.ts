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
import { MONITORING_PORTS } from '../roles/monitoring/index.ts'
import { application, applicationFaults } from './application.ts'
import {
  distinctPriorities,
  fastFailoverPossible,
  freePorts,
  oneSeed,
  oneTierPerHost,
  oneVersion,
  validCertificates,
  validVip,
  votes,
} from './lib/rules.ts'

/** The port on which `admins` read the metrics of the application. */
export const METRICS_PORT = 9464

const APP_EXPORTERS = { [MONITORING_PORTS.node]: 'the node exporter' }
const WEB_EXPORTERS = { ...APP_EXPORTERS, [MONITORING_PORTS.nginx]: 'the nginx exporter' }

/**
 * The groups and values that an inventory of the stack has.
 *
 * @example
 * import { siteSchema } from 'provision-ts/stack'
 *
 * const mine = playbook(siteSchema, ({ app }) => [play('motd', { hosts: app }, () => [motd({ text: 'app' })])])
 */
export const siteSchema = inventorySchema(
  {
    /** The host name of the site. */
    domain: hostname,
    /** The application: its build, its command, its paths. */
    application,
    /** The address that moves between the balancers. */
    vip: cidr,
    /** The certificate that the load balancers show to clients: for the domain, with its chain. */
    certificate: keyPair,
    /**
     * The networks of the administrators. Only they can read statistics and metrics, and connect by ssh. The machine that runs provision, or
     * its last jump host, must be in one of them. By default ssh is open to anyone with a key, and statistics and metrics to none.
     */
    admins: optional(list(cidr)),
    /** True if hosts install security updates automatically, without a restart of any service of the site; yes by default. */
    updates: optional(flag),
    /** The authority of the certificates between tiers, as PEM. */
    authority: text,
    passwords: record({
      /** Of the application's role in the database; needed if it has one. */
      app: optional(credential),
      /** Of the role that replicas connect with. */
      replication: credential,
    }),
    /**
     * True if a write is acknowledged only when a second database host has it on its disk: nothing acknowledged is lost with the
     * primary. Yes with two database hosts by default. While no replica follows, writes wait until `provision disable-sync-replication`
     * if failover is manual, and continue after some seconds if it is automatic. With `strict`, which is for automatic failover, they
     * wait until a replica follows.
     */
    synchronous: optional(choice(true, false, 'strict')),
    /**
     * Seconds after a boot of a database host in which the others may come up too, before it starts as a primary without their answer; 15
     * by default.
     */
    bootGrace: optional(integer({ min: 0, max: 3_600 })),
    /** The maximum number of database sessions; 100 by default. */
    connections: optional(integer({ min: 20, max: 10_000 })),
    /** The VRRP router id of the virtual IP: different for each one in a network; 51 by default. */
    routerId: optional(integer({ min: 1, max: 255 })),
    /** Limits of the load balancers for one client: an IPv4 address, or an IPv6 network of 64 bits. */
    clientLimits: optional(
      record({
        /** Open connections, 0 for no limit; 200 by default. */
        connections: optional(integer({ min: 0 })),
        /** Requests per second, over ten seconds, 0 for no limit; 1000 by default. */
        requests: optional(integer({ min: 0 })),
      }),
    ),
    lb: hosts(
      {
        /** The maximum number of client connections; 2000 by default. */
        maxConnections: optional(integer({ min: 100 })),
        /** The highest one alive holds the address. */
        priority: integer({ min: 1, max: 254 }),
        /** The network interface of the virtual IP; the interface of the default route by default. */
        interface: optional(text),
        /** True if the load balancer answers clients at its own addresses too; no by default. */
        everywhere: optional(flag),
      },
      { atLeast: 2 },
    ),
    web: hosts({
      port,
      /** nginx's worker processes; one for each core by default. */
      workers: optional(integer({ min: 1 })),
      /** Requests a second that one client may make of the application; no limit by default. */
      rate: optional(integer({ min: 1 })),
    }),
    app: hosts({ port }),
    db: hosts(
      {
        /** PostgreSQL's major version; that of the host's Debian release by default. */
        version: optional(choice(15, 17)),
        /** True for the host on which a new cluster begins. Later the database hosts are asked for the primary. */
        seed: flag,
        /**
         * `automatic`: Patroni replaces a lost primary. It needs three votes: three database hosts, or two and a host in `witness`.
         * `manual`: the operator replaces a lost primary, and a run removes Patroni from the servers. The same for all hosts. By default
         * the operator does; a server that Patroni manages is refused.
         */
        failover: optional(choice('manual', 'automatic')),
        /**
         * True if a lost primary is replaced after 5 to 8 s instead of 20 to 25 s: the host in `witness` deletes the leader key of Patroni
         * when the primary's host does not answer. For `automatic`, and the same for all hosts; no by default.
         */
        fastFailover: optional(flag),
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
        /** The number of full backups that are kept, with their incremental backups; 2 by default. */
        keepFull: optional(integer({ min: 1 })),
      },
      { optional: true },
    ),
    /** Reads metrics of all hosts, and sends alerts; without it there are none. */
    monitoring: hosts(
      {
        /** The receivers of alerts. */
        alerts: record({
          /** URLs that get each alert as a POST of JSON. */
          webhooks: optional(list(credential)),
          mail: optional(
            record({
              to: list(text),
              from: text,
              /** The mail server: `mail.example.com:587`. */
              server: text,
              login: optional(record({ user: text, password: credential })),
              /** True if the mail server must offer TLS; yes by default. */
              tls: optional(flag),
            }),
          ),
        }),
        /** The limits of the alerts, as in the role monitoring. */
        limits: optional(
          record({
            disk: optional(integer({ min: 1, max: 100 })),
            certificateDays: optional(integer({ min: 1 })),
            lagSeconds: optional(integer({ min: 1 })),
            commitSeconds: optional(integer({ min: 1 })),
            errors: optional(integer({ min: 1, max: 100 })),
            backupHours: optional(integer({ min: 1 })),
            pendingDays: optional(integer({ min: 0 })),
          }),
        ),
        /** Days for which metrics are kept; 30 by default. */
        keepDays: optional(integer({ min: 1 })),
      },
      { optional: true },
    ),
  },
  ({ lb, db, vip, web, app, backup, witness, monitoring, domain, certificate, authority, synchronous, ...values }) => [
    ...applicationFaults(values.application, values),
    ...distinctPriorities(lb.hosts),
    ...validVip(vip, lb.hosts, [lb, web, app, db, witness, backup, monitoring]),
    ...oneTierPerHost([lb, web, app, db, witness, backup, monitoring]),
    ...freePorts('web', web.hosts, { 22: 'ssh', ...(monitoring.hosts.length > 0 && WEB_EXPORTERS) }),
    ...freePorts('app', app.hosts, {
      ...{ 22: 'ssh', [METRICS_PORT]: 'metrics' },
      ...(monitoring.hosts.length > 0 && APP_EXPORTERS),
    }),
    ...oneSeed(db.hosts),
    ...oneVersion(db.hosts),
    ...votes({ db: db.hosts, witness: witness.hosts, synchronous }),
    ...fastFailoverPossible({ db: db.hosts, witness: witness.hosts }),
    ...validCertificates({ domain, certificate, authority }, [db, witness, backup]),
    monitoring.hosts.length > 1 && 'monitoring.hosts: one host sends the alerts',
    backup.hosts.length > 1 && 'backup.hosts: one host keeps the backups',
  ],
)

/** The values of an inventory that fits the schema. */
export type Site = InventoryValues<(typeof siteSchema)['entries']>

/** A database host of the inventory. */
export type DatabaseHost = HostOf<Site, 'db'>
