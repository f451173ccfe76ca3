/**
 * Tests of roles: on a fake host in milliseconds, on a real host of a lab in seconds.
 *
 * @module provision-ts/testing
 */
export type { FakePath, FakeState } from '../model/resource/fake-state.ts'
export { converge } from './converge.ts'
export { type FakeFile, type FakeHost, type FakeHostOptions, fakeHost, type GivenFile } from './fake-host.ts'
export type { ConvergeResult, FakeConvergeResult, RealHost, RecordedCommand } from './result.ts'
