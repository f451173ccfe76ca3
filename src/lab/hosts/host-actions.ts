import type { HostVerb } from '../supervisor/control.ts'
import type { Guest } from './guest.ts'

/** What may be done to a host from outside. */
export const HOST_ACTIONS: { readonly [V in HostVerb]: (guest: Guest) => Promise<void> | void } = {
  kill: (guest) => guest.kill(),
  poweroff: (guest) => guest.poweroff(),
  start: (guest) => guest.start(),
  reset: (guest) => guest.reset(),
  cut: (guest) => guest.setCut(true),
  uncut: (guest) => guest.setCut(false),
  freeze: (guest) => guest.freeze(),
  thaw: (guest) => guest.thaw(),
  fillDisk: (guest) => guest.fillDisk(),
  freeDisk: (guest) => guest.freeDisk(),
}
