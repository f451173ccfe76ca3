/**
 * Real Debian hosts on this machine, for trying things out and for tests. Needs Linux and root.
 *
 * @module provision-ts/lab
 */

export type { CommandResult } from './base/run.ts'
export type { Debian } from './base/state.ts'
export { deleteSnapshot, listSnapshots, type Snapshot } from './image/snapshots.ts'
export type { Lab, LabHost } from './lab.ts'
export { openLab } from './lab.ts'
export type { HostStatus } from './supervisor/control.ts'
export { downLab, type UpOptions, upLab } from './up.ts'
