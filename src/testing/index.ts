/**
 * Tests of your own roles: on a fake host in milliseconds, on a real one of a lab in seconds.
 *
 * @module provision-ts/testing
 */
export type { FakePath, FakeState } from '../model/resource/fake-state.ts'
export {
  type ConvergeResult,
  converge,
  type FakeConvergeResult,
  type RecordedCommand,
} from './converge.ts'
export { type FakeFile, type FakeHost, type FakeHostOptions, fakeHost, type GivenFile } from './fake-host.ts'
export type { RealHost } from './real.ts'
