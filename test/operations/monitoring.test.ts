import { expect } from 'chai'
import { eventually, ownLab, provision } from '../integration/support.ts'
import { Alerts, MONITORED, MONITORED_INVENTORY } from './monitoring-site.ts'

/** A package whose update is a security update of a local repository. */
const SECURITY_UPDATE = `set -e
mkdir -p /srv/repository /srv/package/DEBIAN && cd /srv
for version in 1 2; do
  printf 'Package: watched\\nVersion: %s\\nArchitecture: all\\nMaintainer: test\\nDescription: test\\n' "$version" > package/DEBIAN/control
  dpkg-deb -b package "repository/watched_$version.deb" >/dev/null
done
dpkg -i repository/watched_1.deb >/dev/null
cd repository
bytes=$(stat -c %s watched_2.deb) sum=$(sha256sum < watched_2.deb | cut -d ' ' -f 1)
{ cat ../package/DEBIAN/control; printf 'Filename: ./watched_2.deb\\nSize: %s\\nSHA256: %s\\n' "$bytes" "$sum"; } > Packages
bytes=$(stat -c %s Packages) sum=$(sha256sum < Packages | cut -d ' ' -f 1)
printf 'Origin: Debian\\nLabel: Debian-Security\\nSuite: stable-security\\nSHA256:\\n %s %s Packages\\n' "$sum" "$bytes" > Release
echo 'deb [trusted=yes] file:/srv/repository ./' > /etc/apt/sources.list.d/watched.list
apt-get -qq update -o Dir::Etc::sourcelist=sources.list.d/watched.list -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0`

/** A certificate of a year that ends in five days. */
const OLD_CERTIFICATE = `set -e
mkdir -p /run/ca && cd /run/ca && : > index && echo 01 > serial
printf '[ca]\\ndefault_ca=own\\n[own]\\ndatabase=index\\nserial=serial\\nnew_certs_dir=.\\ndefault_md=sha256\\npolicy=any\\n[any]\\ncommonName=supplied\\n' > conf
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -out request -subj /CN=old 2>/dev/null
openssl ca -batch -config conf -selfsign -keyfile key -in request -out certificate -notext \
  -startdate "$(date -u -d '360 days ago' +%Y%m%d%H%M%SZ)" -enddate "$(date -u -d '5 days' +%Y%m%d%H%M%SZ)" 2>/dev/null
mkdir -p /etc/pgbackrest/tls && cp certificate /etc/pgbackrest/tls/old.crt`

/** The unit of the database server, as text of a shell. */
const SERVER = '"postgresql@$(ls /etc/postgresql | grep -x "[0-9]*")-main.service"'

/** The processor time of each host of the slowed site, in percent of a core. */
const SLOW = 15

/** All alerts of the role, by the fault that they report. The receivers are on the monitoring host. */
describe('monitoring, on real hosts', function () {
  this.slow('3m').bail(true)
  const own = ownLab('test-monitoring', MONITORED, () => ({ 'inventory.ts': MONITORED_INVENTORY }))
  const operate = (...words: readonly string[]) =>
    provision([...words, '--inventory', `${own.desk.directory}/inventory.ts`, '--no-type-check'], {
      LAB: own.lab.name,
    })
  const done = async (...words: readonly string[]) => {
    const { code, text } = await operate(...words)
    expect(code, text).to.equal(0)
    return text
  }
  let alerts: Alerts
  const on = (host: string, command: string) => alerts.on(host, command)
  const sql = (host: string, text: string) =>
    on(host, `cd / && setpriv --reuid postgres --regid postgres --init-groups psql -XAtqc "${text}"`)

  before(() => {
    alerts = new Alerts(own.lab)
  })

  it('is set up by the run of the site, and a second run changes nothing', async () => {
    await alerts.startReceiver()
    await done('site')
    expect(await done('site')).to.include('No changes')
  })

  it('reads all exporters', async () => {
    await eventually(async () => (await operate('verify')).code === 0)
  })

  it('lets only the monitoring host read the exporters, and no other host open the pages', async () => {
    const open = async (from: string, host: string, port: number) =>
      (await own.lab.exec(from, `curl -s -o /dev/null -m 3 http://${own.lab.host(host).address}:${port}/metrics`))
        .code === 0
    for (const [host, port] of [
      ['db1', 9187],
      ['web1', 9113],
      ['lb1', 8404],
      ['app1', 9100],
      ['app1', 9464],
    ] as const) {
      expect(await open('monitor1', host, port), `${host}:${port}`).to.equal(true)
      expect(await open('backup1', host, port), `${host}:${port}`).to.equal(false)
    }
    expect(await open('app1', 'monitor1', 9090)).to.equal(false)
    expect(await open('app1', 'monitor1', 9093)).to.equal(false)
  })

  it('shows the site on one page', async () => {
    const url = `http://${own.lab.host('monitor1').address}:9090/consoles/site.html`
    await eventually(async () => /primary<\/th><td>db1, followed by 1 /.test(await on('monitor1', `curl -fsS ${url}`)))
    const page = await on('monitor1', `curl -fsS ${url}`)
    expect(page)
      .to.match(/holder of [\d.]+<\/th><td>lb1 <\/td>/)
      .and.include('<td>backup1</td><td>backup</td><td>yes</td>')
  })

  it('keeps the URL of the webhook from other users', async () => {
    const hidden = await on('monitor1', 'setpriv --reuid 65534 cat /etc/prometheus/alertmanager.yml 2>&1 || true')
    expect(hidden).to.include('Permission denied')
  })

  it('reports no alert on a healthy site whose hosts are slow', async () => {
    await eventually(async () => (await alerts.firing()).length === 0)
    const before = (await alerts.received()).length
    for (const host of MONITORED) await own.lab.slow(host, SLOW)
    await alerts.evaluated(20)
    for (const host of MONITORED) await own.lab.fast(host)
    const later = (await alerts.received()).slice(before)
    expect(later.filter((line) => line.startsWith('firing '))).to.deep.equal([])
    expect(await alerts.firing()).to.deep.equal([])
  })

  it('reports the faults of hosts', async () => {
    await alerts.fires(
      [
        'UnitFailed web1',
        'DiskFull app1',
        'RebootPending lb2',
        'SecurityUpdatesPending lb1',
        'CertificateExpires lb2',
        'ExporterDown web1',
        'HostMetricsOld monitor1',
        'BackupOld backup1',
      ],
      async () => {
        await on('web1', 'systemd-run -q --unit broken false; systemctl stop prometheus-nginx-exporter')
        await own.lab.fillDisk('app1')
        await on('lb2', `touch /run/reboot-required; ${OLD_CERTIFICATE}`)
        await on('lb1', SECURITY_UPDATE)
        await on('monitor1', 'mkdir -p /etc/etcd/tls; echo damaged > /etc/etcd/tls/damaged.crt')
        await on('backup1', 'mv /var/lib/pgbackrest/backup /var/lib/pgbackrest/away')
      },
      async () => {
        await on('web1', 'systemctl reset-failed broken; systemctl start prometheus-nginx-exporter')
        await own.lab.freeDisk('app1')
        await on('lb2', 'rm /run/reboot-required /etc/pgbackrest/tls/old.crt')
        await on('lb1', 'dpkg -i /srv/repository/watched_2.deb >/dev/null')
        await on('monitor1', 'rm /etc/etcd/tls/damaged.crt')
        await on('backup1', 'mv /var/lib/pgbackrest/away /var/lib/pgbackrest/backup')
      },
    )
  })

  it('sends the alerts by mail too', async () => {
    const mails = (await alerts.received()).filter((line) => line.startsWith('mail '))
    expect(mails.join('\n'))
      .to.match(/FIRING.*DiskFull/)
      .and.match(/RESOLVED.*DiskFull/)
  })

  it('reports the loss of a host', async () => {
    await alerts.fires(
      ['HostDown backup1'],
      () => own.lab.kill('backup1'),
      () => own.lab.start('backup1'),
    )
  })

  it('reports errors of the site, and a service that is down', async () => {
    const loop = `while :; do curl -sk -o /dev/null --connect-to ::${own.lab.vip}: https://notes.test/api/notes; sleep 0.3; done`
    await on('web1', `systemd-run -q --collect --unit clients sh -c '${loop}'`)
    await alerts.fires(
      ['ServerErrors -'],
      () => on('app1', 'systemctl stop notes'),
      () => on('app1', 'systemctl start notes'),
    )
    await alerts.fires(
      ['ServiceDown web1'],
      () => on('web1', 'systemctl stop nginx'),
      () => on('web1', 'systemctl start nginx'),
    )
    await on('web1', 'systemctl stop clients')
  })

  it('reports a virtual IP without a holder, and with two', async () => {
    const both = async (verb: string) => {
      await Promise.all(['lb1', 'lb2'].map((host) => on(host, `systemctl ${verb} keepalived`)))
    }
    await alerts.fires(
      ['VipWithoutHolder -'],
      () => both('stop'),
      () => both('start'),
    )
    await alerts.fires(
      ['VipWithTwoHolders -'],
      () => own.lab.split('lb1', 'lb2'),
      () => own.lab.heal('lb1', 'lb2'),
    )
  })

  it('reports a replica that is behind', async () => {
    await alerts.fires(
      ['ReplicaLag db2'],
      async () => {
        await sql('db2', 'select pg_wal_replay_pause()')
        await sql('db1', 'create table public.behind as select 1')
      },
      async () => {
        await sql('db2', 'select pg_wal_replay_resume()')
        await sql('db1', 'drop table public.behind')
      },
    )
  })

  it('reports WAL that cannot be archived', async () => {
    await alerts.fires(
      ['ArchivingFails db1'],
      async () => {
        await on('backup1', 'systemctl stop pgbackrest')
        await sql('db1', 'create table public.archived as select 1')
        await sql('db1', 'select pg_switch_wal()')
      },
      () => on('backup1', 'systemctl start pgbackrest'),
    )
  })

  it('reports a lost replica, and commits that wait for it', async () => {
    await alerts.fires(
      ['ReplicaLost db1', 'CommitsWait db1'],
      async () => {
        await on('db2', `systemctl stop ${SERVER}`)
        await on(
          'db1',
          `cd / && systemd-run -q --collect --unit waits --uid postgres psql -XAtqc 'create table public.waits as select 1'`,
        )
      },
      () => on('db2', `systemctl start ${SERVER}`),
    )
  })

  it('reports a database without a primary', async () => {
    await alerts.fires(
      ['NoPrimary -', 'ServiceDown db1'],
      () => on('db1', `systemctl stop ${SERVER}`),
      () => on('db1', `systemctl start ${SERVER}`),
    )
  })

  it('shows on its pages that the receivers cannot be reached', async () => {
    await on('monitor1', 'systemctl stop receiver')
    await on('lb2', 'touch /run/reboot-required')
    await eventually(async () => (await alerts.firing()).includes('AlertsNotDelivered monitor1'))
    await on('lb2', 'rm /run/reboot-required')
    await on('monitor1', 'systemd-run -q --collect --unit receiver python3 /usr/local/libexec/receiver.py')
    await eventually(async () => !(await alerts.firing()).includes('AlertsNotDelivered monitor1'))
  })

  it('keeps the active rules if promtool does not accept new ones', async () => {
    const rules = () => on('monitor1', 'cat /etc/prometheus/provision-rules.yml')
    const before = await rules()
    own.desk.write('wrong.ts', WRONG_RULE)
    const { code, text } = await operate(`${own.desk.directory}/wrong.ts`)
    expect(code, text).to.not.equal(0)
    expect(text).to.include('could not parse expression')
    expect(await rules()).to.equal(before)
    expect(await done('site')).to.include('No changes')
  })

  it('reports two primaries', async () => {
    await alerts.fires(
      ['TwoPrimaries -'],
      async () => {
        // Otherwise the old primary stops by itself.
        await on('db1', 'systemctl stop provision-postgres-fence')
        await sql('db2', 'select pg_promote()')
      },
      () => on('db2', `systemctl stop ${SERVER}`),
    )
  })
})

const WRONG_RULE = `
import { play, playbook } from 'provision-ts'
import { siteSchema } from 'provision-ts/stack'
import { monitoring } from 'provision-ts/roles/monitoring'
export default playbook(siteSchema, (values) => [
  play('monitoring', { hosts: values.monitoring }, (host) =>
    monitoring({
      address: host.address,
      targets: [],
      receivers: host.alerts,
      rules: [{ alert: 'Wrong', expr: 'up ==', severity: 'warning', summary: 'Wrong.' }],
    }),
  ),
])
`
