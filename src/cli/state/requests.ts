import { createHash, randomInt } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isRecord } from '../../model/inventory/fields.ts'
import { Problem } from '../../model/problem.ts'

/** In the working directory. */
const DIRECTORY = '.provision/requests'
const ID = /^[0-9a-f]{8}$/
/** The number of requests to keep; the oldest are deleted. */
const KEEP = 50

/** A request to apply a saved plan, which an operator approves in a terminal. */
export interface ApplyRequest {
  readonly provision: 1
  readonly id: string
  /** The time of the request, in ISO 8601. */
  readonly at: string
  /** The path of the plan. */
  readonly plan: string
  /** The SHA-256 of the plan: another plan at this path is not approved. */
  readonly sha256: string
  readonly state: 'pending' | 'rejected' | 'applying' | 'ended'
  /** The exit status of the run, once it has ended. */
  readonly status?: number
}

/** Returns the request for this plan, a new one if there is none that is pending. */
export function requestFor(plan: string, content: Buffer): ApplyRequest {
  const sha256 = hashOf(content)
  const known = listRequests().find((one) => one.sha256 === sha256 && one.plan === plan)
  if (known) return known
  for (const old of listRequests().slice(KEEP - 1)) rmSync(pathOf(old.id), { force: true })
  const id = randomInt(0x1_0000_0000).toString(16).padStart(8, '0')
  const request: ApplyRequest = { provision: 1, id, at: new Date().toISOString(), plan, sha256, state: 'pending' }
  writeRequest(request)
  return request
}

/** @throws Problem if there is no such request */
export function readRequest(id: string): ApplyRequest {
  const known = listRequests()
  const found = ID.test(id) ? known.find((one) => one.id === id) : undefined
  if (found) return found
  const pending = known.filter(({ state }) => state === 'pending').map((one) => one.id)
  throw new Problem(`There is no request ${id}`, {
    next: pending.length > 0 ? `Pending: ${pending.join(', ')}.` : 'No request is pending in this directory.',
  })
}

/** @throws Problem if the plan is not the one of the request */
export function assertPlanOf({ id, sha256, plan }: ApplyRequest, content: Buffer): void {
  if (hashOf(content) === sha256) return
  throw new Problem(`The plan ${plan} has changed since the request ${id} was made`, {
    next: 'Have the plan made and requested again. Nothing was changed.',
  })
}

export function writeRequest(request: ApplyRequest): void {
  mkdirSync(DIRECTORY, { recursive: true, mode: 0o700 })
  const temporary = `${pathOf(request.id)}.${process.pid}`
  writeFileSync(temporary, `${JSON.stringify(request, undefined, 1)}\n`, { mode: 0o600 })
  renameSync(temporary, pathOf(request.id))
}

/** The requests, the latest first. Files that are damaged are left out. */
function listRequests(): readonly ApplyRequest[] {
  if (!existsSync(DIRECTORY)) return []
  return readdirSync(DIRECTORY)
    .flatMap((name) => requestIn(name.replace(/\.json$/, '')) ?? [])
    .sort((a, b) => (a.at < b.at ? 1 : -1))
}

function requestIn(id: string): ApplyRequest | undefined {
  try {
    const content: unknown = ID.test(id) && JSON.parse(readFileSync(pathOf(id), 'utf8'))
    return isRecord(content) && content['provision'] === 1 ? (content as unknown as ApplyRequest) : undefined
  } catch {
    return undefined
  }
}

function pathOf(id: string): string {
  return join(DIRECTORY, `${id}.json`)
}

function hashOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
