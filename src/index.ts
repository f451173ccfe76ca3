/**
 * What inventories, roles and playbooks are made of.
 *
 * @module provision-ts
 */
export { type Drain, drain, type HostCommand, runOn, runOnEach } from './model/around.ts'
export {
  type Answers,
  after,
  allAnswers,
  ask,
  askEach,
  askHost,
  type HostAnswer,
  mapAnswers,
  type Question,
} from './model/ask.ts'
export {
  type Check,
  type CheckOptions,
  type Checks,
  check,
  type ExpectOptions,
  expect,
} from './model/check.ts'
export type { Command } from './model/command.ts'
export { delegateTo, runOnce, tagged } from './model/delegated.ts'
export { compare, type Diff } from './model/difference.ts'
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
  list,
  optional,
  port,
  record,
  text,
} from './model/fields.ts'
export { type Handler, handler, rebooted, reloaded, restarted } from './model/handler.ts'
export { type Group, group, type Host, type Ssh, type Timeouts } from './model/host.ts'
export { type Inventory, inventory } from './model/inventory.ts'
export { type Output, type OutputOptions, output } from './model/output.ts'
export { type Play, type Playbook, play, playbook } from './model/play.ts'
export { http, type Probe, probe } from './model/probe.ts'
export { EndHost, InvalidParams, Problem } from './model/problem.ts'
export { type Answer, batchRead, mapRead, type Read, read, readAll, readBoth } from './model/read.ts'
export { type Role, type RoleContext, role } from './model/role.ts'
export {
  type HostOf,
  hosts,
  type InventorySchema,
  type InventoryValues,
  inventorySchema,
} from './model/stack.ts'
export { resource, type Step, type StepOptions } from './model/step.ts'
export type { Steps } from './model/steps.ts'
export type { Streamed } from './model/streamed.ts'
export { Unknown } from './model/unknown.ts'
export { type Verification, verification } from './model/verification.ts'
export { absent } from './resources/files/absent.ts'
export { directory } from './resources/files/directory.ts'
export { file, sha256 } from './resources/files/file.ts'
export { line } from './resources/files/line.ts'
export { link } from './resources/files/link.ts'
export { type LocalFile, localFile } from './resources/files/local-file.ts'
export type { AbsolutePath } from './resources/files/stat.ts'
export { type Template, template } from './resources/files/template.ts'
export { type FirewallOptions, firewall } from './resources/firewall/firewall.ts'
export type { FirewallRule } from './resources/firewall/ruleset.ts'
export { pkg } from './resources/packages/package.ts'
export { packageUpgrades } from './resources/packages/upgrades.ts'
export {
  markReleaseCurrent,
  markReleaseRolledBack,
  type Release,
  type Releases,
  releasesAt,
} from './resources/releases/current.ts'
export { pruneReleases } from './resources/releases/prune.ts'
export { type Build, build, existingRelease, release } from './resources/releases/release.ts'
export { command } from './resources/system/command.ts'
export { sysctl } from './resources/system/sysctl.ts'
export { groupMember, user } from './resources/system/user.ts'
export { type RebootOptions, reboot } from './resources/systemd/reboot.ts'
export { service } from './resources/systemd/service.ts'
export { dropIn, unit } from './resources/systemd/unit.ts'
export { transaction } from './resources/transaction/transaction.ts'
export { secret } from './secrets/sources.ts'
export { Secret } from './shell/secret.ts'
export { Shell, sh } from './shell/sh.ts'
export type { Duration } from './text/duration.ts'
