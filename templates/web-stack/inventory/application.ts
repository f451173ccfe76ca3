import type { Application } from 'provision-ts/stack'

/** The application on the hosts of `app`. Each site can have values of its own beside these. */
export const application: Application = {
  name: 'web-app',
  build: { directory: 'app' },
  start: ['node', 'server.mjs'],
  health: { live: '/health' },
  checks: ['/'],
}
