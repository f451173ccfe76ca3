import type { Command, Streamed } from '../../model/resource/command.ts'
import { type Shell, sh } from '../../shell/sh.ts'

export interface Upload {
  readonly at: string
  /** Makes it empty, with owner and mode. */
  readonly make: Shell
  readonly content: Streamed & { readonly size: number }
  /** What to do when it is whole. @default nothing */
  readonly place?: Shell
}

/** Makes a file on a host and sends its content into it, as fast as both take it. */
export function upload({ at, make, content, place = sh`:` }: Upload): readonly Command[] {
  return [
    { inline: true, script: sh`{ ${make}; } || { rm -f ${at}; exit 1; }` },
    {
      script: sh`{ cat > ${at} && sync ${at} && ${place}; } || { rm -f ${at}; exit 1; }`,
      input: content,
      reportsProgress: true,
      timeout: LEAST + content.size / SLOWEST,
    },
  ]
}

/** Milliseconds. */
const LEAST = 600_000

/** Bytes a millisecond; a connection that stands still is noticed long before. */
const SLOWEST = 256
