import { Secret } from '../shell/secret.ts'
import type { Examined } from './survey.ts'
import { stepInfo, type Turn } from './turn.ts'

/** What a command says while it runs. */
export interface Hearing {
  readonly hear: (line: string) => void
  /** What it said last. */
  readonly last: () => string | undefined
}

/** Tells what a step's commands say as events: a line that begins with "waiting for" as that. */
export function hearing({ placed }: Examined, { emit, play, member }: Turn): Hearing {
  let last: string | undefined
  return {
    hear: (line) => {
      const text = Secret.redact(line)
      if (text === last) return
      last = text
      const about = { play, host: member.name }
      const awaited = /^waiting for (.+)$/.exec(text)?.[1]
      emit(
        awaited === undefined
          ? { kind: 'progress', ...about, step: stepInfo(placed), text }
          : { kind: 'waiting', ...about, for: awaited },
      )
    },
    last: () => last,
  }
}
