import { fileURLToPath } from 'node:url'
import type { Application } from 'provision-ts/stack'

/** The sample application, `examples/notes-api`, which `node scripts/example.js` builds. */
export const notes: Application = {
  name: 'notes',
  build: {
    directory: fileURLToPath(new URL('../examples/notes-api/dist', import.meta.url)),
    app: 'app',
    static: 'public',
  },
  start: ['node', 'server.mjs'],
  // The hosts of the lab share the cores of one machine.
  processes: 1,
  health: { live: '/livez', ready: '/readyz' },
  database: 'rows',
  migrations: { sql: 'migrations' },
  paths: ['/api/'],
  metrics: true,
  checks: ['/api/notes'],
}
