import type { Timeouts } from '../model/inventory/host.ts'
import { milliseconds } from '../shell/duration.ts'

/** Default limits of a session, in milliseconds. */
export const DEFAULTS = {
  /** From the first packet to an open TCP connection. */
  connect: 10_000,
  /** Silence of the host during a login. */
  login: 60_000,
  /** From the request of a shell to its first answer. */
  shell: 60_000,
} as const

export interface Keepalive {
  /** Milliseconds between two keepalive messages. */
  readonly interval: number
  /** Consecutive messages that may stay unanswered. */
  readonly misses: number
}

/** A message every 3 s; a host that sends no byte for 60 s is lost. */
export const KEEPALIVE: Keepalive = { interval: 3_000, misses: 19 }

/** Milliseconds for which a host may be silent. */
export function silenceLimit({ interval, misses }: Keepalive): number {
  return interval * (misses + 1)
}

/** The keepalive that detects a silence of this many milliseconds. */
export function keepaliveWithin(silence: number): Keepalive {
  const interval = Math.max(1, Math.min(KEEPALIVE.interval, silence / 4))
  return { interval, misses: Math.max(0, Math.ceil(silence / interval) - 1) }
}

export function scaledKeepalive(keepalive: Keepalive, factor: number): Keepalive {
  if (factor === 1) return keepalive
  return { ...keepalive, misses: Math.max(0, Math.ceil((keepalive.misses + 1) * factor) - 1) }
}

interface SessionTimeouts {
  /** Milliseconds until the shell must have answered. */
  readonly timeout: number
  readonly timeoutFactor: number
  readonly limits: ScriptLimits
}

/** Milliseconds of the limits that scripts on the host enforce; they read them as `PROVISION_CONFIRM_SECONDS` and so on. */
export type ScriptLimits = Readonly<Partial<Record<'confirm' | 'check' | 'probe', number>>>

export function sessionTimeouts({ factor = 1, shell, confirm, check, probe }: Timeouts): SessionTimeouts {
  const limits = Object.entries({ confirm, check, probe }).flatMap(([name, limit]) =>
    limit === undefined ? [] : [[name, milliseconds(limit)] as const],
  )
  return {
    timeout: (shell === undefined ? DEFAULTS.shell : milliseconds(shell)) * factor,
    timeoutFactor: factor,
    limits: Object.fromEntries(limits),
  }
}
