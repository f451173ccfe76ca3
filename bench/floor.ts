import { fileURLToPath } from 'node:url'
import { batch } from '../src/engine/hosts/batch.ts'
import { pendingHandlers } from '../src/model/host-state.ts'
import { expand } from '../src/model/playbook/expand.ts'
import type { Steps } from '../src/model/playbook/steps.ts'
import { readAll, readBoth } from '../src/model/resource/read.ts'
import { readFacts } from '../src/model/resource/read-facts.ts'
import { quote } from '../src/shell/sh.ts'
import type { Run } from './clock.ts'
import { PEERS } from './job/site.ts'
import { work } from './job/work.ts'
import type { Site } from './site.ts'

/** The lower bound for a tool that reads the same state over SSH: the login, and the same scripts. */
export function floors(site: Site): { readonly openssh: Run; readonly ssh2: Run } {
  const read = site.write('read.sh', readScript(work({ peers: PEERS })))
  return {
    openssh: {
      command: 'sh',
      args: [
        '-c',
        'while read -r host; do ssh -F "$1" "$host" "sudo -n sh -s" <"$2" & done <"$3"; echo; wait',
        'sh',
        site.lab.sshConfig,
        read,
        site.path('hosts.txt'),
      ],
    },
    ssh2: {
      command: process.execPath,
      args: [fileURLToPath(new URL('bare.js', import.meta.url)), site.path('hosts.json'), read],
    },
  }
}

/** The script that reads these steps, for the stdin of a shell. */
export function readScript(of: Steps): string {
  const { steps } = expand(of, NO_FACTS)
  const { scripts } = batch(readBoth(readBoth(readFacts, pendingHandlers), readAll(steps.map(({ step }) => step.read))))
  const text = scripts.map(({ script }) => `(eval ${quote(script.text)}) </dev/null\n`).join('')
  return `LC_ALL=C; export LC_ALL\n${text}`
}

/** The steps need no facts. */
const NO_FACTS = {
  facts: {} as never,
  host: {} as never,
  answers: { has: () => true, get: () => undefined } as never,
}
