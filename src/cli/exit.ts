/** What the command's exit status says. */
export const EXIT = {
  /** All hosts are as wanted. */
  ok: 0,
  /** A step, a handler or a health check failed on some host. */
  failed: 1,
  /** `--check` found that something would change. */
  drift: 2,
  /** Some host could not be reached or was lost; nothing failed on the others. */
  unreachable: 3,
  /** The result of some check is unknown; nothing failed, and all hosts could be reached. */
  unknown: 4,
  /** Bad input: nothing was done. As in sysexits.h. */
  usage: 64,
  /** A mistake of ours. As in sysexits.h. */
  internal: 70,
  interrupted: 130,
} as const
