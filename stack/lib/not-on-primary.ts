import { type Host, readAll, resource, type Step, sh } from 'provision-ts'

/** Rejects steps that would stop writes on the primary: it must become a replica first. */
export function notOnPrimary({ name }: Host, steps: readonly Step[]): Step {
  return leftOnPrimary({ name, steps })
}

interface Left {
  readonly name: string
  readonly steps: readonly Step[]
}

const leftOnPrimary = resource<Left, readonly unknown[]>('not on the primary', {
  id: ({ steps }) => steps.map(({ kind, name }) => `${kind} ${name}`).join(', '),
  read: ({ steps }) => readAll(steps.map((step) => step.read)),
  diff: ({ steps }, have) => {
    const differing = steps.filter((step, i) => step.diff(have[i]))
    return differing.length === 0 ? undefined : { action: 'run', fields: [{ name: 'after', to: 'a switchover' }] }
  },
  apply: ({ name }) => [
    sh`echo ${`${name} is the primary. Switch over first: provision switchover. Then run the same command again.`} >&2; exit 1`,
  ],
})
