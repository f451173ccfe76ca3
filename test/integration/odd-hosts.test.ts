import { expect } from 'chai'
import { directory, file, link, Problem, pkg, service, sysctl, unit, user } from '../../src/index.ts'
import type { Steps } from '../../src/model/playbook/steps.ts'
import { plain, showProblem } from '../../src/report/problem.ts'
import { convergeReal as converge } from '../../src/testing/real.ts'
import { thrown } from '../transport/helpers.ts'
import { ownLab } from './support.ts'

/** States of hosts from public bug reports. Each is created by hand, and then a step runs on it. */
describe('steps on hosts in unusual states', function () {
  this.slow('20s')
  const own = ownLab('test-odd-hosts', ['web1'], () => ({}))

  const sh = async (script: string) => {
    const { code, stdout, stderr } = await own.lab.exec('web1', script)
    if (code !== 0) throw new Error(`${script}: ${stdout}${stderr}`)
    return stdout.trim()
  }
  /** Converges, and proves that a second run plans nothing. @returns the plan of the first run */
  const settled = async (steps: Steps) => {
    const { plan } = await converge(steps, own.lab.host('web1'))
    expect((await converge(steps, own.lab.host('web1'))).plan).to.deep.equal([])
    return plan
  }
  const refused = async (steps: Steps) => {
    const problem = await thrown(converge(steps, own.lab.host('web1')))
    return problem instanceof Problem ? showProblem(problem, plain) : String(problem)
  }

  describe('user', () => {
    it('joins the existing group of its name, and a group given by number', async () => {
      await sh('groupadd taken; groupadd -g 5005 five')
      await settled(user('taken', { groups: ['5005'] }))
      expect(await sh('id -Gn taken')).to.equal('taken five')
    })

    it('gets another group, and so do the files in its home, which later steps then change back', async () => {
      await sh('groupadd before; groupadd after')
      const own = (group: string) => [
        user('moves', { home: '/srv/moves', group }),
        directory('/srv/moves', { owner: 'moves', group: 'before' }),
        file('/srv/moves/file', 'x\n', { owner: 'moves', group: 'before' }),
      ]
      await settled(own('before'))
      expect(await settled(own('after'))).to.deep.equal(['change user moves'])
      expect(await sh('stat -c %G /srv/moves /srv/moves/file; id -gn moves')).to.equal('before\nbefore\nafter')
    })

    it('names the process that blocks a change of the home', async () => {
      await settled(user('busy', { home: '/srv/a' }))
      await sh('setsid setpriv --reuid busy --regid busy --clear-groups sleep 600 >/dev/null 2>&1 </dev/null &')
      expect(await refused(user('busy', { home: '/srv/b' })))
        .to.match(/busy has running processes \(process \d+\), so its home and group cannot change/)
        .and.include("service('NAME', { state: 'stopped' })")
      await sh('kill $(pgrep -u busy)')
    })
  })

  describe('pkg', () => {
    it('marks a package that was installed as a dependency, so that autoremove keeps it', async () => {
      await sh('apt-mark -qq auto ca-certificates')
      expect(await settled(pkg('ca-certificates'))).to.deep.equal(['change package ca-certificates'])
      expect(await sh('apt-mark showmanual ca-certificates')).to.equal('ca-certificates')
    })

    it('accepts a virtual package that an installed one provides', async () => {
      expect(await settled(pkg('awk'))).to.deep.equal([])
    })

    it('rejects a package on hold in the plan', async () => {
      await sh('apt-mark -qq hold tree')
      expect(await refused(pkg('tree')))
        .to.include('tree: on hold, so apt does not install it')
        .and.include('apt-mark unhold tree')
      await sh('apt-mark -qq unhold tree')
    })

    it('uses the version of a repository that was just added', async () => {
      await sh(`${BUILD}
deb fresh 1.0 'exit 0'; repo`)
      const source = file('/etc/apt/sources.list.d/own.list', 'deb [trusted=yes] file:/srv/repo ./\n')
      await settled([source, pkg('fresh')])
      await sh(`${BUILD}
deb tree 99.0 'exit 0'; repo`)
      await settled([
        file('/etc/apt/sources.list.d/own.list', 'deb [trusted=yes] file:/srv/repo ./ # again\n'),
        pkg('tree'),
      ])
      expect(await sh("dpkg-query -W -f '${Version}' tree")).to.equal('99.0')
    })

    it('names another package that cannot be configured, and still reports which ones are installed', async () => {
      await sh(`${BUILD}
deb vendor 1.0 'echo cannot register with license server >&2; exit 1'
deb wanted 1.0 'exit 0'; repo; apt-get -qq update; apt-get -qq -y install vendor >/dev/null 2>&1 || true`)
      expect(await refused(pkg('wanted')))
        .to.include('vendor, another package of the host, cannot be configured')
        .and.include('cannot register with license server')
        .and.include('wanted was installed anyway')
      await sh('dpkg --purge --force-all vendor')
    })
  })

  describe('service', () => {
    it('enables a System V script', async () => {
      await sh(`printf '%s\\n' '#!/bin/sh' '### BEGIN INIT INFO' '# Provides: oldsysv' '# Required-Start: $remote_fs' '# Required-Stop: $remote_fs' '# Default-Start: 2 3 4 5' '# Default-Stop: 0 1 6' '### END INIT INFO' 'exit 0' >/etc/init.d/oldsysv
chmod 755 /etc/init.d/oldsysv; systemctl daemon-reload`)
      await settled(service('oldsysv'))
      expect(await sh('ls /etc/rc3.d/S*oldsysv')).to.include('oldsysv')
      await settled(service('oldsysv', { enabled: false }))
      expect(await sh('ls /etc/rc3.d | grep oldsysv')).to.match(/^K/)
    })

    it('enables the units that a unit names by Also=', async () => {
      await settled([
        unit('also.socket', '[Socket]\nListenStream=/run/also.sock\n[Install]\nWantedBy=sockets.target\n'),
        unit('also.service', '[Service]\nExecStart=/bin/sleep 1000\n[Install]\nAlso=also.socket\n'),
        service('also'),
      ])
      expect(await sh('systemctl is-enabled also.socket')).to.equal('enabled')
    })

    it('enables a unit permanently that is enabled only until the next boot', async () => {
      await settled(
        unit('brief.service', '[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n'),
      )
      await sh('systemctl -q enable --runtime brief')
      await settled(service('brief'))
      expect(await sh('systemctl is-enabled brief')).to.equal('enabled')
    })

    it('rejects a masked unit, one without an [Install] section, and one that ends by itself', async () => {
      await sh('systemctl -q mask never.service')
      expect(await refused(service('never')))
        .to.include('never.service is masked')
        .and.include('systemctl unmask never.service')
      expect(await refused(unit('never.service', '[Service]\nExecStart=/bin/true\n'))).to.include(
        'never.service is masked',
      )
      await settled([
        unit('plain.service', '[Service]\nExecStart=/bin/sleep 1000\n'),
        unit('job.service', '[Service]\nType=oneshot\nExecStart=/bin/true\n'),
      ])
      expect(await refused(service('plain', { enabled: true }))).to.include('plain.service has no [Install] section')
      expect(await refused(service('job'))).to.include('job.service is a oneshot without RemainAfterExit')
    })

    it('reads each unit by its name, whatever systemd reports for others', async () => {
      await settled([service('brief'), service('plain')])
      await sh('systemctl stop brief')
      expect(await settled([service('plain'), service('brief')])).to.deep.equal(['start service brief'])
      expect(await settled([service('brief', { state: 'stopped' }), service('plain')])).to.deep.equal([
        'stop service brief',
      ])
      expect(await sh('systemctl is-active brief || true')).to.equal('inactive')
    })

    it('rejects a unit that systemd does not know, unless an earlier step installs it', async () => {
      expect(await refused(service('crond', { state: 'stopped' }))).to.include(
        'service crond: systemd on the host has no unit crond.service',
      )
      const plan = await settled([
        unit('comes.service', '[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n'),
        service('comes'),
      ])
      expect(plan).to.deep.equal(['create unit /etc/systemd/system/comes.service', 'start service comes'])
    })
  })

  describe('sysctl', () => {
    it('accepts an empty value, and a key with a dot in one of its parts', async () => {
      await sh('ip link add dum0.100 type veth peer name dum1')
      await settled(sysctl('odd', { 'net.ipv4.ip_local_reserved_ports': '', 'net/ipv4/conf/dum0.100/rp_filter': 1 }))
    })

    it('sets forwarding before the keys that the kernel resets with it, now and at boot', async () => {
      await sh('sysctl -qw net.ipv4.ip_forward=0; sysctl -qw net.ipv4.conf.all.accept_redirects=0')
      await settled(sysctl('forward', { 'net.ipv4.conf.all.accept_redirects': 1, 'net.ipv4.ip_forward': 1 }))
      expect(
        await sh(
          'sysctl -qw net.ipv4.ip_forward=0; sysctl -q -p /etc/sysctl.d/60-forward.conf; sysctl -n net.ipv4.conf.all.accept_redirects',
        ),
      ).to.equal('1')
    })

    it('writes nothing for an unknown key, and explains how to write a dot', async () => {
      expect(await refused(sysctl('bad', { 'net.ipv4.conf.dum0.100.rp_filter': 1 })))
        .to.include('the kernel has no setting net.ipv4.conf.dum0.100.rp_filter')
        .and.include('write the key with slashes')
      expect(await sh('ls /etc/sysctl.d')).to.not.include('60-bad')
    })

    it('names the file that overrides it at boot', async () => {
      await sh("echo 'net.ipv4.tcp_fin_timeout = 60' >/etc/sysctl.d/99-vendor.conf")
      expect(await refused(sysctl('later', { 'net.ipv4.tcp_fin_timeout': 25 }))).to.include(
        '/etc/sysctl.d/99-vendor.conf sets net.ipv4.tcp_fin_timeout = 60 at boot, which overrides the wanted 25',
      )
    })
  })

  describe('files', () => {
    it('reject a link to a device', async () => {
      await sh('ln -s /dev/null /etc/to-null; mkfifo /etc/a-fifo')
      expect(await refused(file('/etc/to-null', 'x\n', { follow: true }))).to.include(
        '/etc/to-null leads to /dev/null, a device',
      )
      expect(await refused(file('/etc/a-fifo', 'x\n'))).to.include('/etc/a-fifo is a fifo')
      expect(await sh('stat -c %F /dev/null /etc/a-fifo')).to.equal('character special file\nfifo')
    })

    it('that a link replaces are kept, and missing directories above a link are created', async () => {
      await sh('echo precious >/etc/was-a-file')
      await settled([link('/etc/was-a-file', { target: 'hostname' }), link('/srv/deep/er/link', { target: '/etc' })])
      expect(await sh('cat /var/lib/provision/removed/*/was-a-file')).to.equal('precious')
      expect(await sh('readlink /srv/deep/er/link')).to.equal('/etc')
    })

    it('belong to a user and a group given by number', async () => {
      await settled([
        file('/etc/by-number', 'x\n', { owner: '33', group: '4' }),
        directory('/srv/by-number', { owner: '65534', group: '0' }),
      ])
      expect(await sh('stat -c %U:%G /etc/by-number /srv/by-number')).to.equal('www-data:adm\nnobody:root')
    })

    it('in a directory behind a link are written if the link is followed', async () => {
      await sh('mkdir -p /data/app; ln -s /data/app /srv/moved')
      expect(await refused(directory('/srv/moved')))
        .to.include('/srv/moved is a link, not a directory')
        .and.include('follow: true')
      await settled(directory('/srv/moved', { follow: true, mode: '0750' }))
      expect(await sh('stat -c %a /data/app; stat -c %F /srv/moved')).to.equal('750\nsymbolic link')
    })
  })
})

/** `deb NAME VERSION POSTINST` builds a package into /srv/repo, and `repo` its index. */
const BUILD = `
deb() {
  mkdir -p /srv/repo /tmp/$1/DEBIAN
  printf 'Package: %s\\nVersion: %s\\nArchitecture: all\\nMaintainer: Test <test@example.net>\\nDescription: test\\n' $1 $2 >/tmp/$1/DEBIAN/control
  printf '#!/bin/sh\\n%s\\n' "$3" >/tmp/$1/DEBIAN/postinst; chmod 755 /tmp/$1/DEBIAN/postinst
  dpkg-deb -b /tmp/$1 /srv/repo/$1_$2.deb >/dev/null
}
repo() {
  cd /srv/repo; : >Packages
  for one in *.deb; do
    dpkg-deb -f $one; printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' $one $(stat -c %s $one) $(sha256sum <$one | cut -d' ' -f1)
  done >Packages
}`
