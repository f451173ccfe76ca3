import type { Site } from '../proof/site.ts'

/** A real fault, and the line of `verify` that must name it. */
export interface Fault {
  readonly event: string
  /** @returns the context that `end` needs */
  readonly begin: (site: Site) => Promise<string>
  readonly end: (site: Site, context: string) => Promise<unknown>
  readonly named: RegExp
}

export const FAULTS: readonly Fault[] = [
  {
    event: 'nginx stopped on web1',
    begin: (site) => site.on('web1', 'systemctl stop nginx'),
    end: (site) => site.on('web1', 'systemctl start nginx'),
    named: /nginx is running/,
  },
  {
    event: 'a port of the database opened to everybody',
    begin: (site) => site.on('db1', 'nft insert rule inet provision input tcp dport 5432 accept'),
    end: (site) => site.on('db1', 'systemctl restart provision-firewall'),
    named: /cannot connect to .*db1:5432/,
  },
  {
    event: 'the replica frozen',
    begin: async (site) => {
      const { replica } = await site.databases()
      await site.on(replica, "systemctl kill -s STOP 'postgresql@*-main.service'")
      return replica
    },
    end: (site, replica) => site.on(replica, "systemctl kill -s CONT 'postgresql@*-main.service'"),
    named: /postgresql is running/,
  },
]
