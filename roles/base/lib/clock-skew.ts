import {
  askEach,
  type Check,
  expect,
  type Host,
  type HostAnswer,
  type Output,
  output,
  Problem,
  sh,
  Unknown,
} from 'provision-ts'

const clock = output('its clock', sh`date +%s.%N`)

/** The clocks of the hosts agree. Certificates, logs and the order of events depend on it. */
export function clocksAgree(hosts: readonly Host[], seconds = 1): Check {
  return expect(`clocks differ by at most ${seconds} s`, askEach({ hosts }, clock), (all) => clockSkew(all, seconds), {
    about: 'all',
    next: 'See timedatectl on both.',
  })
}

/**
 * Each clock was read between two known moments, so its difference from the controller's clock has a lower and an upper bound. Two
 * clocks differ for certain if their bounds do. If the bounds are wider than the limit, the result is unknown.
 */
export function clockSkew(all: readonly HostAnswer<Output | Problem>[], seconds: number): string | Problem | undefined {
  const bounds: { readonly name: string; readonly least: number; readonly most: number }[] = []
  for (const { host, answer } of all) {
    if (!answer) continue
    if (answer instanceof Problem) return new Unknown(`${host.name}: ${answer.message}`)
    const now = Number(answer.said) * 1000
    if (Number.isNaN(now)) return new Unknown(`${host.name}: date returned no time`)
    bounds.push({ name: host.name, least: now - answer.to, most: now - answer.from })
  }
  const [fast] = [...bounds].sort((a, b) => b.least - a.least)
  const [slow] = [...bounds].sort((a, b) => a.most - b.most)
  if (!fast || !slow) return undefined
  const sure = (fast.least - slow.most) / 1000
  if (sure > seconds) return `${fast.name} is ${sure.toFixed(1)} s ahead of ${slow.name}`
  const [widest] = [...bounds].sort((a, b) => b.most - b.least - (a.most - a.least))
  const possible = Math.max(...bounds.map(({ most }) => most)) - Math.min(...bounds.map(({ least }) => least))
  return possible / 1000 <= seconds || !widest
    ? undefined
    : new Unknown(
        `${widest.name} took ${((widest.most - widest.least) / 1000).toFixed(1)} s to return its time, too long to compare clocks`,
      )
}
