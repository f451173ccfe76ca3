import { fileURLToPath } from 'node:url'
import { secret } from 'provision-ts'
import type { Application } from 'provision-ts/stack'

/** The server `node-red`, with its editor. @param credentialSecret encrypts the credentials in its flows */
export function nodeRed(credentialSecret = secret.env('NODE_RED_CREDENTIAL_SECRET')): Application {
  return {
    name: 'node-red',
    build: { directory: fileURLToPath(new URL('app', import.meta.url)) },
    start: ['node', 'node_modules/node-red/red.js', '--settings', 'settings.js'],
    // Its flows are files of one process.
    processes: 1,
    stateDirectory: true,
    secrets: { CREDENTIAL_SECRET: credentialSecret },
    websockets: true,
    startWithin: 180,
    bodyLimit: '5m',
    answerWithin: 60,
    checks: ['/settings'],
  }
}
