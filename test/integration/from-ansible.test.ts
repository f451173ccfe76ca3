import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import { freshLab, noHosts, provision, ROOT } from './support.ts'

const EXAMPLE = join(ROOT, 'examples/from-ansible')

for (const debian of [12, 13] as const)
  describe(`the example with three roles of Ansible on Debian ${debian}`, function () {
    this.slow('60s')
    const name = `test-from-ansible-${debian}`
    let lab: Lab
    let keys: string

    before(async function () {
      if (noHosts()) return this.skip()
      keys = mkdtempSync(join(tmpdir(), 'provision-keys-'))
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(keys, 'ana')])
      lab = await freshLab({ name, hosts: ['web1'], debian })
    })
    after(async () => {
      if (noHosts()) return
      rmSync(keys, { recursive: true })
      await downLab(name)
    })

    const run = (...more: readonly string[]) =>
      provision(['--inventory', `${EXAMPLE}/inventory/lab.ts`, `${EXAMPLE}/playbooks/site.ts`, ...more], {
        LAB: name,
        ANA_KEYS: join(keys, 'ana.pub'),
      })
    const on = async (script: string) => {
      const { code, stdout, stderr } = await lab.exec('web1', script)
      expect(code, stdout + stderr).to.equal(0)
      return stdout.trim()
    }

    it('is applied, and a second run changes nothing', async () => {
      const first = await run('--no-type-check')
      expect(first.code, first.text).to.equal(0)
      const second = await run('--no-type-check')
      expect(second.code, second.text).to.equal(0)
      expect(second.text).to.include('No changes')
    })

    it('has users with keys and sudo', async () => {
      expect(await on('id -u ana; id -Gn ana; getent group operators | cut -d: -f3')).to.equal(
        '3001\nana operators\n3000',
      )
      expect(await on('cat /home/ana/.ssh/authorized_keys')).to.include(
        readFileSync(join(keys, 'ana.pub'), 'utf8').trim(),
      )
      expect(await on('runuser -u ana -- sudo -n -l')).to.include('/usr/bin/systemctl reload nginx')
      expect(await on('! runuser -u ana -- sudo -n id 2>&1')).to.match(/password|not allowed/)
      expect(await on('grep -c "alias ll" /home/ana/.profile; ! id carl 2>&1')).to.match(/^1\n/)
    })

    it('serves the virtual host with its certificate', async () => {
      const fetch = 'curl -sS -k --resolve shop.test:443:127.0.0.1 https://shop.test/'
      await on('command -v curl >/dev/null || apt-get -qq -y install curl >/dev/null')
      expect(await on(fetch)).to.equal('<h1>shop.test</h1>')
      expect(await on('ls /etc/nginx/sites-enabled; stat -c %a /etc/nginx/tls/shop.test.key')).to.equal(
        'shop.test.conf\n600',
      )
    })

    it('keeps the database with its settings, and its backup can be restored', async () => {
      const sql = (text: string, database = 'shop') => `runuser -u postgres -- psql -XAtq -d ${database} -c "${text}"`
      expect(await on(`${sql('show max_connections')}; ${sql('show log_min_duration_statement')}`)).to.equal(
        '60\n250ms',
      )
      await on(sql('set role shop; create table orders (id int); insert into orders values (42)'))
      await on('systemctl start backup-databases.service')
      const dump = await on('ls /var/backups/postgresql/shop-*.dump')
      await on(`runuser -u postgres -- createdb restored && runuser -u postgres -- pg_restore -d restored ${dump}`)
      expect(await on(sql('select id from shop.orders', 'restored'))).to.equal('42')
      expect(await on('systemctl is-enabled backup-databases.timer')).to.equal('enabled')
    })
  })
