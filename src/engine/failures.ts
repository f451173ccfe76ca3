import type { Command } from '../model/command.ts'
import type { Difference } from '../model/difference.ts'
import { Problem } from '../model/problem.ts'
import type { Source } from '../model/source.ts'
import type { PlacedStep } from '../model/steps.ts'
import { Secret } from '../shell/secret.ts'
import { elapsed } from '../text/duration.ts'
import type { Result, Script } from '../transport/session.ts'
import type { Member } from './member.ts'

const LINES_SHOWN = 12

export interface Failure {
  readonly at: number
  readonly script: Script
  readonly result: Result
}

/** The first of these scripts that failed. */
export function firstFailure(scripts: readonly Script[], results: readonly Result[]): Failure | undefined {
  for (const [at, script] of scripts.entries()) {
    const result = results[at]
    if (result && (result.skipped || result.code !== 0)) return { at, script, result }
  }
  return undefined
}

interface StepFailure extends Omit<Failure, 'at'> {
  readonly explain: Command['explain']
  /** What it said last of how far it was. */
  readonly said: string | undefined
}

/** A step whose command failed. */
export function failedStep(
  member: Member,
  step: PlacedStep,
  { script, result, explain, said }: StepFailure,
): Problem {
  const why = explain?.(Secret.redact(result.stderr.toString()))
  return new Problem(`${member.name}: ${describe(step)} failed: ${why?.what ?? ending(script, result)}`, {
    ...place(step),
    details: [...(said === undefined ? [] : [`It said last: ${said}`]), ...evidence(script, result)],
    next:
      why?.next ??
      'What came before it on this host is done. Mend the cause and run the same command again: it goes on from there.',
  })
}

export function failedHandler(
  member: Member,
  name: string,
  { script, result }: Omit<Failure, 'at'>,
): Problem {
  return new Problem(`${member.name}: handler "${name}" failed: ${ending(script, result)}`, {
    details: evidence(script, result),
    next: 'The host remembers that it is owed this handler: the next run tries it again.',
  })
}

export function unhealthy(member: Member, label: string, { script, result }: Omit<Failure, 'at'>): Problem {
  return new Problem(`${member.name} is not healthy after its turn: ${label}`, {
    details: evidence(script, result),
    next: 'Look at the service on the host; hosts of later batches were left alone.',
  })
}

export function notConverged(member: Member, step: PlacedStep, { verb, fields }: Difference): Problem {
  return new Problem(
    `${member.name}: ${describe(step)} did not converge: after its commands it would still ${verb}`,
    {
      ...place(step),
      details: fields.map(({ name, from, to }) => `${name}: is ${from ?? 'absent'}, should be ${to}`),
      next: 'Something on the host undoes the change, or two steps want different things of it.',
    },
  )
}

export function interrupted(member: Member): Problem {
  return new Problem(`${member.name}: stopped between two steps`, {
    next: 'What was begun is done, what is owed is noted on the host. The same command goes on from there.',
  })
}

export function describe({ step: { kind, name }, roles }: PlacedStep): string {
  return `${kind} ${name}${roles.length > 0 ? ` (role ${roles.join(' › ')})` : ''}`
}

function place({ step: { source } }: PlacedStep): { where?: Source } {
  return source ? { where: source } : {}
}

function ending(script: Script, { code, timedOut }: Result): string {
  return timedOut ? `no end after ${elapsed(script.timeout ?? 0)}, so it was killed` : `exit status ${code}`
}

/** The command and its last words. Masked before anything is cut: half a secret would not be known again. */
export function evidence({ script }: Script, { stdout, stderr }: Result): readonly string[] {
  const command = Secret.redact(script.text.trim()).split('\n')
  const said = [stdout.toString(), stderr.toString()]
    .flatMap((text) => Secret.redact(text).split('\n'))
    .filter((line) => line.trim() !== '')
  const shown = [
    ...(command.length === 1 ? [`$ ${command[0] ?? ''}`] : []),
    ...said.slice(-LINES_SHOWN).map((line) => `  ${line}`),
  ]
  return shown.map(clip)
}

function clip(line: string): string {
  return line.length > 400 ? `${line.slice(0, 400)}…` : line
}
