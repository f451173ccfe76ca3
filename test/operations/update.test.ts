import { expect } from 'chai'
import { MANY, noFailure, onNew, siteUnderLoad } from './site-under-load.ts'

const HOSTS = ['lb1', 'lb2', 'web1', 'web2', 'app1', 'app2', 'db1', 'db2']

/** Package updates, and the reboots that they require, under load. */
describe('updates and the reboots that they require, on real hosts under load', function () {
  this.slow('60s').bail(true)
  const own = siteUnderLoad('test-operations-update')

  const each = async (hosts: readonly string[], command: string) =>
    Object.fromEntries(await Promise.all(hosts.map(async (host) => [host, await own.site.on(host, command)] as const)))
  const WEB = ['web1', 'web2']
  const UPDATE = ['update', '--tier', 'web', '--packages']
  /** The processes of the services on web hosts, by name. */
  const processes = () =>
    each(
      WEB,
      'for unit in nginx haproxy ssh systemd-journald; do echo "$unit $(systemctl show -p MainPID --value $unit)"; done',
    )
  const linesOf = (found: Readonly<Record<string, string>>, unit: RegExp) =>
    WEB.flatMap((host) => (found[host] ?? '').split('\n').filter((line) => unit.test(line)))
  const SERVING = /^(nginx|haproxy) [1-9]/
  const OTHERS = /^(ssh|systemd-journald) [1-9]/
  const releases = () => each(WEB, 'readlink /srv/www/current')
  const version = (name: string) => each(WEB, `dpkg-query -W -f '\${Version}' ${name}`)

  it('install newer packages, and restart only services that run replaced files', async () => {
    await Promise.all(WEB.map((host) => own.site.on(host, offered('mawk'))))
    const before = await processes()
    noFailure(await own.underLoad(UPDATE), MANY)
    expect(Object.values(await version('mawk')).every((one) => one.endsWith('+newer'))).to.equal(true)
    expect(await processes()).to.deep.equal(before)
  })

  it('restart the service that runs a replaced library, drained, without a failed request; its release stays', async () => {
    await Promise.all(WEB.map((host) => own.site.on(host, offered('libpcre2-8-0'))))
    const [before, released] = [await processes(), await releases()]
    const planned = await own.site.provision(...UPDATE, '--check')
    expect(planned.code, planned.text).to.equal(2)
    noFailure(await own.underLoad(UPDATE), MANY)
    expect(Object.values(await version('libpcre2-8-0')).every((one) => one.endsWith('+newer'))).to.equal(true)
    const now = await processes()
    expect(linesOf(now, SERVING)).to.have.length(4)
    expect(linesOf(now, SERVING).filter((line, i) => line === linesOf(before, SERVING)[i])).to.deep.equal([])
    expect(linesOf(now, OTHERS)).to.have.length(4).and.deep.equal(linesOf(before, OTHERS))
    expect(await releases()).to.deep.equal(released)
    expect(
      await each(
        WEB,
        `grep -l 'libpcre2.*(deleted)' /proc/[0-9]*/maps 2>/dev/null | while read -r maps; do cat "\${maps%/maps}/comm"; done | grep -c nginx || :`,
      ),
    ).to.deep.equal({ web1: '0', web2: '0' })
  })

  it('change nothing the second time', async () => {
    const before = await processes()
    const { code, text } = await own.site.provision(...UPDATE)
    expect(code, text).to.equal(0)
    expect(text).to.include('No changes')
    expect(await processes()).to.deep.equal(before)
  })

  it('reboot only the hosts that require it', async () => {
    const boots = () => each(HOSTS, 'cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1')
    const { primary, replica } = await own.site.databases()
    const wanting = ['lb2', 'web1', replica]
    const mark = 'touch /run/reboot-required; echo linux-image-amd64 > /run/reboot-required.pkgs'
    await Promise.all(wanting.map((host) => own.site.on(host, mark)))
    const before = await boots()
    const seen = await own.underLoad(['reboot', '--required'])
    expect(seen.asked).to.be.greaterThan(MANY)
    const now = await boots()
    expect(HOSTS.filter((host) => now[host] !== before[host])).to.have.members(wanting)
    expect((await own.site.databases()).primary, 'no switchover for a primary that need not reboot').to.equal(primary)
    expect(onNew(seen).length, seen.failed.join('\n')).to.be.at.most(1)
    await own.site.healthy()
    const again = await own.site.provision('reboot', '--required')
    expect(again.text).to.include('No changes')
    expect(await boots()).to.deep.equal(now)
  })
})

/**
 * Builds a newer version of an installed package in a separate repository: the same content in new files. The package
 * lists are removed, as on the next day.
 */
function offered(name: string): string {
  return `set -e
umask 022; mkdir -p /srv/newer /tmp/build; cd /tmp/build; rm -rf ./*
apt-get update -qq; apt-get download -qq ${name}
dpkg-deb -R ./*.deb tree; rm ./*.deb
sed -i 's/^Version: .*/&+newer/' tree/DEBIAN/control
dpkg-deb -b tree /srv/newer/${name}.deb >/dev/null
cd /srv/newer
for one in *.deb; do
  dpkg-deb -f "$one"
  printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' "$one" "$(stat -c %s "$one")" "$(sha256sum "$one" | cut -d' ' -f1)"
done > Packages
echo 'deb [trusted=yes] file:/srv/newer ./' > /etc/apt/sources.list.d/newer.list
rm -rf /var/lib/apt/lists/*`
}
