import { spawnSync } from 'node:child_process'
import { localConnection, localTransport } from '../../src/transport/local.ts'
import { BusyboxMachine } from './busybox-machine.ts'
import { conformance } from './conformance.ts'
import { canBePrivate } from './private-machine.ts'

const here = { name: 'here', host: 'localhost' }
conformance('the local transport', () => localTransport().connect(here))

const has = (program: string) => !spawnSync(program, ['true']).error

for (const shell of ['dash', 'bash --posix']) {
  const [program = shell] = shell.split(' ')
  if (has(program)) conformance(`this machine's ${program}`, async () => localConnection(), { shell })
  else it(`a session over ${program} (there is none on this machine)`)
}

if (!has('busybox')) it('a session over busybox (there is none on this machine)')
else if (!canBePrivate()) conformance("this machine's busybox", async () => localConnection(), { shell: 'busybox sh' })
else
  describe('a machine with busybox only', () => {
    let machine: BusyboxMachine
    before(() => {
      machine = new BusyboxMachine()
    })
    after(() => machine.dispose())
    conformance('its sh', async () => machine.connection())
  })
