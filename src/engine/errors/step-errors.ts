import type { ExpandedStep } from '../../model/playbook/steps.ts'
import { Problem } from '../../model/problem.ts'
import type { Command } from '../../model/resource/command.ts'
import type { Diff } from '../../model/resource/diff.ts'
import type { Source } from '../../model/source.ts'
import { elapsed } from '../../shell/duration.ts'
import { printable } from '../../shell/printable.ts'
import { Secret } from '../../shell/secret.ts'
import type { Result, Script } from '../../transport/session/session.ts'
import type { HostRun } from '../hosts/host-run.ts'
import { likelyCause } from './hints.ts'

const LINES_SHOWN = 12

export interface Failure {
  readonly at: number
  readonly script: Script
  readonly result: Result
}

export function firstFailure(scripts: readonly Script[], results: readonly Result[]): Failure | undefined {
  for (const [at, script] of scripts.entries()) {
    const result = results[at]
    if (result && (result.skipped || result.code !== 0)) return { at, script, result }
  }
  return undefined
}

interface StepFailure extends Omit<Failure, 'at'> {
  readonly explain: Command['explain']
  readonly lastProgress: string | undefined
}

export function failedStep(
  { name }: HostRun,
  step: ExpandedStep,
  { script, result, explain, lastProgress }: StepFailure,
): Problem {
  const why = explain?.(Secret.redact(result.stderr.toString()))
  const { details, next } = ended(script, result, GOES_ON)
  return new Problem(`${name}: ${describeStep(step)} failed: ${why?.what ?? ending(script, result)}`, {
    ...place(step),
    details: [
      ...(lastProgress === undefined ? [] : [`It said last: ${lastProgress}`]),
      ...(why ? evidence(script, result) : details),
    ],
    next: why?.next ?? next,
  })
}

const GOES_ON =
  'What came before it on this host is done. Fix the cause and run the same command again: it goes on from there.'

export function failedHandler(hostRun: HostRun, name: string, { script, result }: Omit<Failure, 'at'>): Problem {
  return new Problem(`${hostRun.name}: handler "${name}" failed: ${ending(script, result)}`, {
    ...ended(script, result, 'The handler stays pending on the host: the next run tries it again.'),
  })
}

export function notReady(hostRun: HostRun, label: string, { script, result }: Omit<Failure, 'at'>): Problem {
  return new Problem(`${hostRun.name} is not healthy after its turn: ${label}`, {
    ...ended(script, result, 'Look at the service on the host; hosts of later batches were left alone.'),
  })
}

export function notConverged(
  { name }: Pick<HostRun, 'name'>,
  step: ExpandedStep,
  { action, fields }: Diff,
  { applied = true }: { readonly applied?: boolean } = {},
): Problem {
  return new Problem(
    applied
      ? `${name}: ${describeStep(step)} did not converge: after its commands it would still ${action}`
      : `${name}: ${describeStep(step)} matched when it was read, and no longer does: it would ${action}`,
    {
      ...place(step),
      details: fields.map(({ name: field, from, to }) => `${field}: is ${from ?? 'absent'}, should be ${to}`),
      next: applied
        ? 'Something on the host undoes the change, or two steps want different things of it.'
        : 'A handler or a step after it has changed this. Put it after that step; the same command goes on from there.',
    },
  )
}

export function interrupted({ name }: Pick<HostRun, 'name'>): Problem {
  return new Problem(`${name}: stopped between two steps`, {
    next: 'Steps that had begun are done, and pending handlers are recorded on the host. The same command continues from there.',
  })
}

function place({ step: { source } }: ExpandedStep): { where?: Source } {
  return source ? { where: source } : {}
}

function ending(script: Script, { code, timedOut, limit = script.timeout ?? 0 }: Result): string {
  return timedOut ? `no end after ${elapsed(limit)}, so it was killed` : `exit status ${code}`
}

/** The evidence of a failed script, with its likely cause. @param always the next step whatever the cause is */
function ended(
  script: Script,
  result: Result,
  always: string,
): { readonly details: readonly string[]; readonly next: string } {
  const details = evidence(script, result)
  const cause = result.timedOut ? undefined : likelyCause(outputLines(result).join('\n'), result.code)
  if (!cause) return { details, next: always }
  return {
    details: [...details, `Likely cause: ${cause.what}.`],
    next: `${cause.next.replace(/[^.]$/, '$&.')} ${always}`,
  }
}

/** The command and the end of its output. Secrets are masked before a text is cut: half a secret would not be found. */
export function evidence({ script }: Script, result: Result): readonly string[] {
  const command = Secret.redact(script.text.trim()).split('\n')
  const shown = [
    ...(command.length === 1 ? [`$ ${command[0] ?? ''}`] : []),
    ...outputLines(result)
      .slice(-LINES_SHOWN)
      .map((line) => `  ${line}`),
  ]
  return shown.map(clip)
}

function outputLines({ stdout, stderr }: Result): readonly string[] {
  return [stdout.toString(), stderr.toString()]
    .flatMap((text) => Secret.redact(printable(Secret.redact(text))).split('\n'))
    .filter((line) => line.trim() !== '')
}

function clip(line: string): string {
  return line.length > 400 ? `${line.slice(0, 400)}…` : line
}

/** Describes a step for a message: `file /etc/motd (role base › motd)`. */
export function describeStep({ step: { kind, name }, roles }: ExpandedStep): string {
  return `${kind} ${name}${roles.length > 0 ? ` (role ${roles.join(' › ')})` : ''}`
}
