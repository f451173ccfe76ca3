/**
 * The functions and types for inventories, roles and playbooks.
 *
 * @module provision-ts
 */

export { type MailOptions, mail } from './hooks/mail.ts'
export { type OpenTelemetryOptions, openTelemetry } from './hooks/open-telemetry.ts'
export { type WebhookOptions, webhook } from './hooks/webhook.ts'
export {
  type Check,
  type CheckOptions,
  type Checks,
  check,
  type ExpectOptions,
  expect,
  type Output,
  type OutputOptions,
  output,
} from './model/check/check.ts'
export { type Verification, verification } from './model/check/verification.ts'
export { type Hook, type HookReport, type Hooks, hook } from './model/hook.ts'
export {
  address,
  choice,
  cidr,
  credential,
  dictionary,
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
  withDescription,
} from './model/inventory/fields.ts'
export { type Group, group, type Host, type Ssh, type Timeouts } from './model/inventory/host.ts'
export { type Inventory, type InventoryOptions, inventory } from './model/inventory/inventory.ts'
export {
  type HostOf,
  hosts,
  type InventorySchema,
  type InventoryValues,
  inventorySchema,
} from './model/inventory/schema.ts'
export { type Drain, drain, type HostCommand, runOn, runOnEach } from './model/playbook/drain.ts'
export { gate, type Play, play } from './model/playbook/play.ts'
export { type Playbook, playbook } from './model/playbook/playbook.ts'
export { http, type Probe, probe } from './model/playbook/probe.ts'
export { type Role, role } from './model/playbook/role.ts'
export type { Steps } from './model/playbook/steps.ts'
export {
  after,
  delegateTo,
  type EndHost,
  endHost,
  flushHandlers,
  type RoleContext,
  runOnce,
  tagged,
  withOutput,
} from './model/playbook/steps.ts'
export {
  type Change,
  type LocalTime,
  localTime,
  type Policy,
  type PolicyInput,
  policy,
} from './model/policy/policy.ts'
export { protect } from './model/policy/protect.ts'
export { lift, type Waiver, type WaiverOptions, waive } from './model/policy/waiver.ts'
export { InvalidParams, Problem, Unknown } from './model/problem.ts'
export type { Command, Streamed } from './model/resource/command.ts'
export { compare, type Diff } from './model/resource/diff.ts'
export { compareVersions, type Facts, type Platform } from './model/resource/facts.ts'
export type { Answer } from './model/resource/fake-state.ts'
export { type Handler, handler, rebooted, reloaded, restarted } from './model/resource/handler.ts'
export {
  type Answers,
  allAnswers,
  ask,
  askEach,
  askHost,
  type HostAnswer,
  mapAnswers,
  type Question,
} from './model/resource/question.ts'
export { batchRead, mapRead, type Read, read, readAll, readBoth } from './model/resource/read.ts'
export { resource, type Step, type StepOptions } from './model/resource/step.ts'
export { allowFailure, throttle } from './model/resource/wrapped-step.ts'
export { type DownloadOptions, download } from './resources/downloads/download.ts'
export { type UnpackOptions, unpack } from './resources/downloads/unpack.ts'
export { type VenvOptions, venv } from './resources/downloads/venv.ts'
export { absent } from './resources/files/absent.ts'
export { type AclName, type AclOptions, acl } from './resources/files/acl.ts'
export { attributes } from './resources/files/attributes.ts'
export { block } from './resources/files/block.ts'
export { concat } from './resources/files/concat.ts'
export { type LocalFile, localFile, sha256 } from './resources/files/content.ts'
export { copied } from './resources/files/copied.ts'
export { directory } from './resources/files/directory.ts'
export { file } from './resources/files/file.ts'
export { line } from './resources/files/line.ts'
export { link } from './resources/files/link.ts'
export { replace } from './resources/files/replace.ts'
export { setting } from './resources/files/setting.ts'
export type { SettingFormat, SettingKey, SettingValue } from './resources/files/setting-values.ts'
export type { AbsolutePath } from './resources/files/stat.ts'
export { type Template, template } from './resources/files/template.ts'
export { type LocalDirectory, localDirectory, tree } from './resources/files/tree.ts'
export { type FirewallOptions, firewall } from './resources/firewall/firewall.ts'
export type { FirewallRule, OutgoingRule } from './resources/firewall/ruleset.ts'
export { dpkgDivert } from './resources/packages/divert.ts'
export { type PackageOptions, pkg } from './resources/packages/package.ts'
export { type AptSourceOptions, aptSource } from './resources/packages/source.ts'
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
export { type AlternativesOptions, alternatives } from './resources/system/alternatives.ts'
export { type AuthorizedKeysOptions, authorizedKeys } from './resources/system/authorized-keys.ts'
export { caCertificate } from './resources/system/ca-certificate.ts'
export { command } from './resources/system/command.ts'
export { type CronJob, type CronOptions, cron } from './resources/system/cron.ts'
export { type GitOptions, git } from './resources/system/git.ts'
export { type SystemHostnameOptions, systemHostname } from './resources/system/hostname.ts'
export { type KernelModuleOptions, kernelModule } from './resources/system/kernel-module.ts'
export { knownHosts } from './resources/system/known-hosts.ts'
export { type LocaleOptions, locale } from './resources/system/locale.ts'
export { type MountOptions, mount } from './resources/system/mount.ts'
export { type ScriptOptions, script } from './resources/system/script.ts'
export { sudoers } from './resources/system/sudoers.ts'
export { type SwapOptions, swap } from './resources/system/swap.ts'
export { sysctl } from './resources/system/sysctl.ts'
export { timezone } from './resources/system/timezone.ts'
export { type UserOptions, user } from './resources/system/user.ts'
export { userGroup } from './resources/system/user-group.ts'
export { type Awaited, waitFor } from './resources/system/wait-for.ts'
export { type RebootOptions, reboot } from './resources/systemd/reboot.ts'
export { type ServiceOptions, service } from './resources/systemd/service.ts'
export { type TimerOptions, timer } from './resources/systemd/timer.ts'
export { dropIn, unit } from './resources/systemd/unit.ts'
export { transaction } from './resources/transaction/transaction.ts'
export { secret } from './secrets/sources.ts'
export type { Duration } from './shell/duration.ts'
export { Secret } from './shell/secret.ts'
export { Shell, sh } from './shell/sh.ts'
