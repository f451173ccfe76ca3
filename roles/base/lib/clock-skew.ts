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

/** The clocks of hosts agree: certificates, logs and the order of events depend on it. */
export function clocksAgree(hosts: readonly Host[], seconds = 1): Check {
  return expect(
    `the clocks agree within ${seconds} s`,
    askEach({ hosts }, clock),
    (all) => clockSkew(all, seconds),
    {
      about: 'all',
      next: 'See timedatectl on both.',
    },
  )
}

/**
 * A clock was read at some moment between two that are known, so its difference from the controller's clock lies between two bounds.
 * Clocks are apart when the bounds are; while the bounds are wider than the limit, nothing is known.
 */
export function clockSkew(
  all: readonly HostAnswer<Output | Problem>[],
  seconds: number,
): string | Problem | undefined {
  const bounds: { readonly name: string; readonly least: number; readonly most: number }[] = []
  for (const { host, answer } of all) {
    if (!answer) continue
    if (answer instanceof Problem) return new Unknown(`${host.name}: ${answer.message}`)
    const now = Number(answer.said) * 1000
    if (Number.isNaN(now)) return new Unknown(`${host.name}: date gave no time`)
    bounds.push({ name: host.name, least: now - answer.to, most: now - answer.from })
  }
  const [fast] = [...bounds].sort((a, b) => b.least - a.least)
  const [slow] = [...bounds].sort((a, b) => a.most - b.most)
  if (!fast || !slow) return undefined
  const sure = (fast.least - slow.most) / 1000
  if (sure > seconds) return `${fast.name} is ${sure.toFixed(1)} s before ${slow.name}`
  const [widest] = [...bounds].sort((a, b) => b.most - b.least - (a.most - a.least))
  const possible = Math.max(...bounds.map(({ most }) => most)) - Math.min(...bounds.map(({ least }) => least))
  return possible / 1000 <= seconds || !widest
    ? undefined
    : new Unknown(
        `${widest.name} took ${((widest.most - widest.least) / 1000).toFixed(1)} s to tell its time, too long to compare clocks`,
      )
}
