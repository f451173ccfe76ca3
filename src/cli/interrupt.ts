import { EXIT } from './exit.ts'

/**
 * Handles Ctrl-C and SIGTERM: the first one aborts the signal, the second one ends the process.
 *
 * @param message printed at the first one
 */
export function onInterrupt(message = STOPPING): { readonly signal: AbortSignal; readonly done: () => void } {
  const stop = new AbortController()
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted)
    stop.abort()
    process.stderr.write(message)
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  return {
    signal: stop.signal,
    done: () => void process.off('SIGINT', interrupt).off('SIGTERM', interrupt),
  }
}

const STOPPING =
  '\nStopping: running steps finish, and drained hosts return to service. Press Ctrl-C again to stop now.\n'
