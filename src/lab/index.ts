/**
 * Real Debian hosts on this machine, for trying things out and for tests. Needs Linux and root.
 *
 * @module provision-ts/lab
 */
export type { HostStatus } from './control.ts'
export { downLab } from './down.ts'
export type { Lab, LabHost } from './lab.ts'
export { openLab } from './open.ts'
export type { Finished } from './run.ts'
export { deleteSnapshot, listSnapshots, type Snapshot } from './snapshots.ts'
export type { Debian } from './state.ts'
export { type UpOptions, upLab } from './up.ts'
