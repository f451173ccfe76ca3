import type { Command, Streamed } from '../../model/resource/command.ts'
import { type Shell, sh } from '../../shell/sh.ts'

interface Upload {
  readonly at: string
  /** Creates the empty file with owner and mode. */
  readonly create: Shell
  readonly content: Streamed & { readonly size: number }
  /** Runs when the file is complete. @default nothing */
  readonly finish?: Shell
}

/** Creates a file on the host and streams the content into it. */
export function upload({ at, create, content, finish = sh`:` }: Upload): readonly Command[] {
  return [
    { inline: true, script: sh`{ ${create}; } || { rm -f ${at}; exit 1; }` },
    {
      script: sh`{ cat > ${at} && sync ${at} && ${finish}; } || { rm -f ${at}; exit 1; }`,
      input: content,
      reportsProgress: true,
      timeout: MIN_TIMEOUT + content.size / MIN_RATE,
    },
  ]
}

/** Milliseconds. */
const MIN_TIMEOUT = 600_000

/** Bytes per millisecond. A stalled connection is detected long before the timeout. */
const MIN_RATE = 256
