import { Problem } from '../../model/problem.ts'
import { known, mapRead, type Read, readAll, readBoth } from '../../model/resource/read.ts'
import { Secret } from '../../shell/secret.ts'
import { sha256 } from '../files/content.ts'
import { type Entry, entryAt } from '../files/stat.ts'
import {
  type Account,
  account,
  groupOf,
  groupsListing,
  type ShadowEntry,
  shadowOf,
  type UserGroup,
} from './account-reads.ts'
import { type Login, login } from './login.ts'

/** The hash of a password; `initial` for one that the user may change. */
export type UserPassword = Secret | { readonly initial: Secret }

export interface UserParams {
  readonly name: string
  readonly system: boolean
  readonly uid: number | undefined
  readonly comment: string | undefined
  readonly home: string
  readonly createHome: boolean
  readonly shell: string
  readonly group: string | undefined
  readonly groups: readonly string[]
  readonly exclusive: boolean
  readonly password: UserPassword | undefined
  readonly locked: boolean | undefined
  /** Days since 1970, or never; undefined to leave it. */
  readonly expires: number | 'never' | undefined
}

export interface UserState {
  readonly account: Account | undefined
  /** The wanted primary group. */
  readonly primary: UserGroup | undefined
  /** The wanted groups that the user is not in. */
  readonly missing: readonly string[]
  /** The groups that the user is in, if they are exclusive. */
  readonly memberships: readonly string[]
  /** The user with the wanted uid. */
  readonly holder: Account | undefined
  readonly shadow: ShadowEntry | undefined
  readonly homeEntry: Entry | undefined
  readonly login: Login | undefined
}

/** The question for the state of a user. */
export function stateOf(params: UserParams): Read<UserState> {
  const { name, home, group, groups, exclusive, uid, password, locked, expires, createHome } = params
  const regroups = group !== undefined || uid !== undefined ? home : undefined
  const ofShadow = password !== undefined || locked !== undefined || expires !== undefined
  const accounts = readBoth(
    readBoth(account({ name, regroups }), group === undefined ? known(undefined) : groupOf(group)),
    uid === undefined ? known(undefined) : account({ name: String(uid), regroups: undefined }),
  )
  const memberships = readBoth(missingGroups(name, groups), exclusive ? groupsListing(name) : known([]))
  const rest = readBoth(
    readBoth(ofShadow ? shadowOf(name) : known(undefined), createHome ? entryAt({ path: home }) : known(undefined)),
    exclusive ? login : known(undefined),
  )
  return mapRead(
    readBoth(readBoth(accounts, memberships), rest),
    ([[[[own, primary], holder], [missing, listed]], [[shadow, homeEntry], session]]) => ({
      account: own,
      ...{ primary, missing, holder, shadow, homeEntry },
      memberships: listed,
      login: session,
    }),
  )
}

function missingGroups(name: string, groups: readonly string[]): Read<readonly string[]> {
  return mapRead(readAll(groups.map(groupOf)), (found) =>
    groups.filter((_group, i) => !found[i]?.members.includes(name)),
  )
}

/** The groups that the user is in and must leave. */
export function strangers({ groups, exclusive }: UserParams, { memberships }: UserState): readonly string[] {
  return exclusive ? memberships.filter((one) => !groups.includes(one)) : []
}

/** The password to set now. @throws Problem for a text that is not a hash */
export function due({ name, password }: UserParams, { shadow }: UserState): Secret | undefined {
  if (password === undefined) return undefined
  const hash = password instanceof Secret ? password : password.initial
  if (!isHash(hash.reveal()))
    throw new Problem(`The password of ${name} is not a hash`, {
      next: 'Store the hash instead of the password: mkpasswd (package whois) or openssl passwd -6 makes one.',
    })
  if (!(password instanceof Secret)) return shadow?.password === undefined ? hash : undefined
  return shadow?.password === sha256(hash) ? undefined : hash
}

/** A hash of crypt(5). Anything else would be stored as it is, so that /etc/shadow had the password. */
function isHash(text: string): boolean {
  return /^\$(?:y|gy|7|2[abxy]|6|5|1|sha1|md5)\$[./A-Za-z0-9$,=]{8,}$/.test(text)
}

const DAY = 86_400_000

/** @throws TypeError for anything but a date or `never` */
export function daysOf(name: string, expires: string | undefined): UserParams['expires'] {
  if (expires === undefined || expires === 'never') return expires
  const time = /^\d{4}-\d\d-\d\d$/.test(expires) ? Date.parse(expires) : Number.NaN
  if (Number.isNaN(time) || dateOf(time / DAY) !== expires)
    throw new TypeError(`user ${name}: "${expires}" is neither a date such as 2027-01-31 nor never`)
  return time / DAY
}

/** Days since 1970 as a date. */
export function dateOf(days: number | undefined): string {
  return days === undefined ? 'never' : new Date(days * DAY).toISOString().slice(0, 10)
}
