import { expect } from 'chai'
import { Slot } from '../../../src/engine/apply/slot.ts'
import { Throttles } from '../../../src/engine/apply/throttles.ts'
import type { StepState } from '../../../src/engine/read/step-state.ts'
import { throttle } from '../../../src/model/resource/wrapped-step.ts'
import { command } from '../../../src/resources/system/command.ts'
import { sh } from '../../../src/shell/sh.ts'

describe('the place of a host among those that apply a limited step', () => {
  const stop = new AbortController().signal
  const step = (lock: string) => throttle(1, command(lock, sh`true`, { unless: sh`false` }), { lock })
  const expanded = (lock: string) => ({ step: step(lock), roles: [], tags: [] })
  const differing = (lock: string, of = expanded(lock)): StepState => ({
    ...{ expanded: of, have: false, difference: { action: 'run', fields: [] } },
  })
  const slotOf = (throttles: Throttles, waits: string[] = []) =>
    new Slot({
      ...{ throttles, stop, play: 'web', hostRun: { name: 'web1' } },
      emit: (event) => void (event.kind === 'waiting' && waits.push(event.for)),
    })

  it('is that of one step: the next step with another lock waits for its own', async () => {
    const throttles = new Throttles()
    const slot = slotOf(throttles)
    expect(await slot.enter(differing('a'))).to.equal(false)
    const giveBack = await throttles.enter({ lock: 'b', limit: 1 }, 'web2', { stop, onWait: () => {} })
    // The first step was not applied, as after a failure that is allowed.
    const waits: string[] = []
    const other = slotOf(throttles, waits)
    const entered = slot.enter(differing('b'))
    const isFree = other.enter(differing('a'))
    expect(waits, 'the lock of the first step is free').to.deep.equal([])
    expect(await isFree).to.equal(false)
    giveBack?.()
    expect(await entered, 'it has waited').to.equal(true)
  })

  it('stays while the same step is read again, and is free if it needs no change then', async () => {
    const throttles = new Throttles()
    const slot = slotOf(throttles)
    const of = expanded('a')
    await slot.enter(differing('a', of))
    expect(await slot.enter(differing('a', of))).to.equal(false)
    const waits: string[] = []
    const waiting = slotOf(throttles, waits).enter(differing('a'))
    expect(waits).to.deep.equal(['web1 (a: at most 1 at once)'])
    await slot.enter({ expanded: of, have: true, difference: undefined })
    expect(await waiting).to.equal(true)
  })
})
