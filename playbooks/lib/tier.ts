import {
  type Answers,
  ask,
  type Build,
  type FirewallOptions,
  type FirewallRule,
  type Host,
  type Question,
  read,
  type Steps,
  sh,
} from 'provision-ts'
import type { Site } from '../schema.ts'
import type { Part } from './releases.ts'

/** What an operation does otherwise than the site, within the same plays:
  drain, one after another, proved well. */
export interface TierOptions {
  /** @default the tier's name */
  readonly label?: string
  /** How many hosts at a time. @default one, then halves */
  readonly serial?: 1
  /** Of the application. @default the build of this machine, if no person has taken it out of force */
  readonly release?: (host: Host, part: Part) => Answers<Build>
  /** What a host's turn consists of. @param own what the site does @default just that */
  readonly steps?: (host: Host, own: Steps) => Steps
  /** Whether the last host in service may be changed too, and none is taken out of service before. @default false */
  readonly outage?: boolean
}

/** The steps of the site, unchanged. */
export const siteSteps = (_host: Host, own: Steps): Steps => own

/** True if the unit is not active, so the host serves no traffic. */
export function isStopped(unit: string): Question<boolean> {
  return ask(
    `is ${unit} at rest?`,
    read(sh`systemctl is-active -q ${unit}`, ({ code }) => code !== 0),
  )
}

/** A port of numbers that operators alone may read. */
export function watchedAt(port: number, admins: Site['admins']): readonly FirewallRule[] {
  return admins === undefined ? [] : [{ port, from: admins.map((address) => ({ address })) }]
}

/** Who reaches a host by ssh. */
export function sshFor(admins: Site['admins']): FirewallOptions {
  return { ssh: admins ?? 'anywhere' }
}
