// `npm run demo`: nine real hosts on this machine, the whole stack on them, and where to look at it.
import './ensure.js'
import './example.js'
import { fileURLToPath } from 'node:url'
import { must } from './ensure.js'

const provision = ['bin/provision.js']
if (process.platform !== 'linux' || process.getuid?.() !== 0) {
  console.error(`The lab needs root on Linux. Either
  sudo npm run demo
or bring the same machines up with Vagrant, and provision those:
  vagrant up && npx provision --inventory inventory/vagrant.ts`)
  process.exit(64)
}
must(process.execPath, [...provision, 'lab', 'up'])
must(process.execPath, [...provision, '--inventory', 'inventory/lab.ts'])
const { bundleSelf } = await import('../bin/bundle.js')
/** @type {typeof import('../src/lab/index.ts')} */
const { openLab } = await import(`${await bundleSelf(fileURLToPath(new URL('..', import.meta.url)))}lab.js`)
const { ports, directory } = openLab('demo')
const authority = `${directory}/pki/authority.pem`
const curl = `curl --cacert ${authority} --resolve notes.test:${ports.https}:127.0.0.1 https://notes.test:${ports.https}`
console.log(`
The site answers at https://notes.test:${ports.https} on 127.0.0.1, behind its virtual IP:

  ${curl}/
  ${curl}/api/whoami

Look around:    npx provision lab ssh web1
                npx provision lab status
Break something: npx provision lab kill lb1, and ask the site again; npx provision lab start lb1
                npx provision lab kill db1: another host takes writes after about 25 seconds
Take it down:   npx provision lab down`)
