import type { BatchSize, Play } from '../../model/play.ts'
import type { Tier, Topology } from './topology.ts'

/** What there is to draw of a playbook for an inventory. */
export interface Graph {
  readonly topology: Topology
  readonly plays: readonly PlayNode[]
}

export interface PlayNode {
  readonly label: string
  /** The tiers or hosts that it is for. */
  readonly on: string
  /** How many at a time, and what goes around each; empty when it is for all at once. */
  readonly how: string
}

export function playNode(play: Play, tiers: readonly Tier[]): PlayNode {
  const how = [order(play), play.drain && `${play.drain.label} meanwhile`].filter((part) => part)
  return { label: play.label, on: onWhom(play, tiers), how: how.join(', ') }
}

function onWhom({ hosts }: Play, tiers: readonly Tier[]): string {
  const names = new Set(hosts.map(({ name }) => name))
  const whole = tiers.filter((tier) => tier.hosts.length > 0 && tier.hosts.every((name) => names.has(name)))
  const rest = new Set(names)
  for (const tier of whole) for (const name of tier.hosts) rest.delete(name)
  return [...whole.map(({ name }) => name), ...rest].join(', ')
}

function order({ serial, maxUnavailable, hosts }: Play): string {
  if (hosts.length < 2) return ''
  if (maxUnavailable !== undefined) return `${size(maxUnavailable)} in flight`
  return serial ? serial.map(size).join(', then ') : ''
}

function size(given: BatchSize): string {
  if (typeof given === 'string') return given
  return given === 1 ? 'one at a time' : `${given} at a time`
}
