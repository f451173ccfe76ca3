import { type OwnLab, ownLab, ROOT } from '../integration/support.ts'

/** Two balancers with the roles of the site, and one web server, on hosts of a lab. */
export function balancerPair(name: string): OwnLab {
  return ownLab(name, ['lb1', 'lb2', 'web1'], balancerFiles)
}

export function balancerFiles(): Readonly<Record<string, string>> {
  return { 'inventory.ts': INVENTORY, 'playbook.ts': balancerPlaybook() }
}

/** @param params further params of haproxy, as the text of an object */
export function balancerPlaybook(params = '{}'): string {
  return PLAYBOOK.replace('PARAMS', params)
}

const STACK = `
inventorySchema({
  domain: hostname,
  vip: cidr,
  certificate: keyPair,
  lb: hosts({ priority: integer({ min: 1, max: 254 }) }),
  web: hosts({ port }),
})
`

const INVENTORY = `
import { cidr, hostname, hosts, integer, inventory, keyPair, port, inventorySchema } from 'provision-ts'
import { authority } from 'provision-ts/pki'
import { openLab } from 'provision-ts/lab'
export const site = ${STACK.trim()}
export default async () => {
  const lab = openLab(process.env.LAB)
  const ca = await authority(lab.directory + '/pki', { name: 'test' })
  const at = (name: string) => ({ address: lab.host(name).address, ssh: lab.host(name).ssh })
  return inventory(site, {
    domain: 'notes.test',
    vip: lab.vip + '/24',
    certificate: await ca.keyPair({ names: ['notes.test'] }),
    lb: { hosts: { lb1: { ...at('lb1'), priority: 250 }, lb2: { ...at('lb2'), priority: 240 } } },
    web: { port: 8080, hosts: { web1: at('web1') } },
  })
}
`

const PLAYBOOK = `
import { file, pkg, play, playbook, restarted, service } from 'provision-ts'
import { haproxy } from '${ROOT}/roles/haproxy/index.ts'
import { keepalived } from '${ROOT}/roles/keepalived/index.ts'
import { site } from './inventory.ts'
const PAGE = 'server { listen 8080; location / { return 200 "well\\\\n"; } }\\n'
export default playbook(site, ({ domain, certificate, vip, lb, web }) => [
  play('web', { hosts: web }, () => [
    pkg('nginx-light'),
    file('/etc/nginx/conf.d/page.conf', PAGE, { then: restarted('nginx') }),
    service('nginx'),
  ]),
  play('balancers', { hosts: lb, serial: 1 }, (host) => [
    haproxy({ domain, certificate, servers: web.hosts, vip, ...PARAMS }),
    keepalived({ ...host, vip, peers: lb.without(host) }),
  ]),
])
`
