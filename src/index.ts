/**
 * What inventories, roles and playbooks are made of.
 *
 * @module
 */
export { type Around, around, type Errand } from './model/around.ts'
export { type Answered, after, ask, type Derived, derive, each, on, type Question } from './model/ask.ts'
export type { Command } from './model/command.ts'
export { once, tagged } from './model/delegated.ts'
export { compare, type Difference } from './model/difference.ts'
export type { Facts } from './model/facts.ts'
export {
  address,
  choice,
  cidr,
  credential,
  flag,
  hostname,
  integer,
  type KeyPair,
  keyPair,
  optional,
  port,
  record,
  text,
} from './model/fields.ts'
export { type Handler, handler, reloaded, restarted } from './model/handler.ts'
export type { Group, Host, Ssh } from './model/host.ts'
export { type Inventory, inventory } from './model/inventory.ts'
export { type Play, type Playbook, play, playbook } from './model/play.ts'
export { http, type Probe, probe } from './model/probe.ts'
export { Problem } from './model/problem.ts'
export { type Answer, family, mapRead, type Read, read, readAll, together } from './model/read.ts'
export { type Role, type RoleContext, role } from './model/role.ts'
export { type HostOf, hosts, type Stack, type StackValues, stack } from './model/stack.ts'
export { resource, type Step, type StepOptions } from './model/step.ts'
export type { Steps } from './model/steps.ts'
export { type Authority, authority } from './pki/authority.ts'
export { pemFile, pemPair } from './pki/files.ts'
export { absent } from './resources/absent.ts'
export { command } from './resources/command.ts'
export { directory } from './resources/directory.ts'
export { file, sha256 } from './resources/file.ts'
export { type FirewallOptions, firewall } from './resources/firewall.ts'
export type { FirewallRule } from './resources/firewall-ruleset.ts'
export { line } from './resources/line.ts'
export { link } from './resources/link.ts'
export { pkg } from './resources/package.ts'
export type { AbsolutePath } from './resources/paths.ts'
export { prunedReleases } from './resources/pruned-releases.ts'
export { type Build, build, release } from './resources/release.ts'
export { service } from './resources/service.ts'
export { sysctl } from './resources/sysctl.ts'
export { type Template, template } from './resources/template.ts'
export { transaction } from './resources/transaction.ts'
export { dropIn, unit } from './resources/unit.ts'
export { user, userGroup } from './resources/user.ts'
export { secret } from './secrets/sources.ts'
export { Secret } from './shell/secret.ts'
export { Shell, sh } from './shell/sh.ts'
export type { Duration } from './text/duration.ts'
