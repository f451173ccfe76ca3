import { inventory, Problem, secret } from 'provision-ts'
import { authority } from 'provision-ts/pki'
import { siteSchema } from 'provision-ts/stack'
import { notes } from './notes.ts'
import { vagrantMachines } from './vagrant-machines.ts'

/** The address of each machine of the Vagrantfile ends in this. */
const LAST_BYTE = { lb1: 11, lb2: 12, web1: 21, web2: 22, app1: 31, app2: 32, db1: 41, db2: 42 } as const

type Name = keyof typeof LAST_BYTE

/** The machines of the Vagrantfile that are up, as `vagrant ssh-config` tells how to reach them. */
export default async () => {
  const machines = await vagrantMachines('.provision/vagrant-hosts.json')
  const ca = await authority('.provision/vagrant-pki', { name: 'Notes on Vagrant' })
  const at = (name: Name) => {
    const ssh = machines.get(name)
    if (!ssh) throw new Problem(`${name} is not up.`, { next: `Run: vagrant up ${name}` })
    return { address: `192.168.56.${LAST_BYTE[name]}`, ssh }
  }
  const tier = (first: Name, spare: Name) => ({
    [first]: at(first),
    // A small set has none.
    ...(machines.has(spare) && { [spare]: at(spare) }),
  })
  const database = async (name: Name) => {
    const host = at(name)
    return { ...host, certificate: await ca.keyPair({ names: [name], addresses: [host.address] }) }
  }
  return inventory(siteSchema, {
    domain: 'notes.test',
    application: notes,
    vip: '192.168.56.10/24',
    certificate: await ca.keyPair({ names: ['notes.test'] }),
    authority: ca.certificate,
    // Machines that only this one can reach. For others: secret.env, secret.file or secret.command.
    passwords: { app: secret.of('vagrant-app'), replication: secret.of('vagrant-replication') },
    lb: {
      interface: 'eth1',
      // For the ports of this machine that lead to each.
      everywhere: true,
      hosts: { lb1: { ...at('lb1'), priority: 250 }, lb2: { ...at('lb2'), priority: 240 } },
    },
    web: { port: 8080, hosts: tier('web1', 'web2') },
    app: { port: 3000, hosts: tier('app1', 'app2') },
    db: {
      seed: false,
      hosts: { db1: { ...(await database('db1')), seed: true }, db2: await database('db2') },
    },
  })
}
