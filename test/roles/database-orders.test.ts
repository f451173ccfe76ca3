import { expect } from 'chai'
import { begin, type Model, type ModelOptions, type Step, take } from './database-model.ts'

const STEPS: readonly Step[] = [
  ...(['db1', 'db2', 'app1'] as const).flatMap((host): readonly Step[] => [
    { do: 'kill', host },
    { do: 'power on', host },
  ]),
  ...(['db1', 'db2'] as const).flatMap((host): readonly Step[] => [
    { do: 'failover', host },
    { do: 'failover cut short', host },
    { do: 'rejoin', host },
  ]),
  { do: 'write' },
  { do: 'disable sync' },
  { do: 'run' },
]

interface Explored {
  /** The shortest sequence that leads to each loss. */
  readonly losses: ReadonlyMap<string, readonly Step[]>
  readonly orders: number
  readonly states: number
  readonly refusals: ReadonlySet<string>
}

/** Explores all sequences up to this length. Sequences that lead to the same state are explored once. */
function explore(length: number, options: ModelOptions): Explored {
  const losses = new Map<string, readonly Step[]>()
  const refusals = new Set<string>()
  const seen = new Set<string>()
  let orders = 0
  let front: readonly { readonly model: Model; readonly order: readonly Step[]; readonly count: number }[] = [
    { model: begin(options), order: [], count: 1 },
  ]
  for (let depth = 0; depth < length; depth++) {
    const next = new Map<string, { model: Model; order: readonly Step[]; count: number }>()
    for (const { model, order, count } of front)
      for (const step of STEPS) {
        const { model: after, refused, lost } = take(model, step, options)
        orders += count
        if (refused !== undefined) refusals.add(refused)
        if (lost !== undefined) {
          if (!losses.has(lost)) losses.set(lost, [...order, step])
          continue
        }
        const key = JSON.stringify(after)
        const same = next.get(key)
        if (same) next.set(key, { ...same, count: same.count + count })
        else next.set(key, { model: after, order: [...order, step], count })
        seen.add(key)
      }
    front = [...next.values()]
  }
  return { losses, orders, states: seen.size, refusals }
}

const words = (order: readonly Step[]) =>
  order.map((step) => ('host' in step ? `${step.do} ${step.host}` : step.do)).join(', ')

const reported = ({ losses }: Explored) => [...losses].map(([lost, order]) => `${words(order)}: ${lost}`)

describe('all sequences of failures and operations on a pair of databases', () => {
  it('lose no acknowledged write in up to eight steps, or are rejected with a message', () => {
    const found = explore(8, { records: true })
    console.log(`    ${found.orders} orders, ${found.states} states, ${found.refusals.size} refusals`)
    expect(reported(found)).to.deep.equal([])
    for (const text of found.refusals) expect(text).to.match(/provision|same command|Start |Rejoin/)
  })

  it('lose writes if no host keeps a record, which proves the test above', () => {
    const found = reported(explore(8, { records: false }))
    console.log(`    ${found.length} losses, such as: ${found[0]}`)
    expect(found).not.to.deep.equal([])
  })
})
