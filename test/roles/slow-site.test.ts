import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { appChecks } from '../../roles/app/checks.ts'
import { backupChecks } from '../../roles/backup/checks.ts'
import { haproxyChecks, serversInService, siteChecks } from '../../roles/haproxy/checks.ts'
import { keepalivedChecks, vipHolderProblem } from '../../roles/keepalived/checks.ts'
import { nginxChecks } from '../../roles/nginx/checks.ts'
import type { Checks, Host, KeyPair } from '../../src/index.ts'
import { group, Problem, Unknown } from '../../src/index.ts'
import { Secret } from '../../src/shell/secret.ts'
import { findingsOf, type Programs, resultsOf, SILENT, SPEECHLESS } from '../support/checks.ts'
import { ownRig } from '../support/rig.ts'
import { selfSigned } from '../support/self-signed.ts'

const SLOW = /^unknown: no answer within \S+ s \(an empty script took \S+ s on the host\)$/
/** A systemctl where all units run. */
const RUNNING = `for one; do case $one in -p | show | Id | LoadState | ActiveState | FreezerState | NRestarts | ActiveEnter* | MainPID) ;;
*) printf '%s\\n' "Id=$one" LoadState=loaded ActiveState=active NRestarts=0 ActiveEnterTimestampMonotonic=1 MainPID=0 '' ;; esac; done`

describe('checks of a slow site', () => {
  const rig = ownRig()
  const results = (checks: (host: Host) => Checks, programs: Programs, percent = 100) =>
    resultsOf(rig, (hosts) => hosts.map(checks), { programs: { systemctl: RUNNING, ...programs }, percent })

  describe('of the certificate', () => {
    const day = (days: number) => selfSigned('site.test', days)
    const good: KeyPair = { certificate: day(90), key: new Secret(() => 'key') }
    const site = (more: Partial<KeyPair> = {}) => ({
      ...{ domain: 'site.test', vip: '198.18.0.1/24', certificate: { ...good, ...more } },
    })
    /** A server that presents this certificate, then keeps the connection open. */
    const shows = (certificate: string, log: string) =>
      `echo >> ${log}; cat <<'END'
CONNECTED(00000003)
${certificate}
---
DONE
END
exec sleep 100000`
    const certificates = async (
      programs: Programs,
      more: { readonly pair?: Partial<KeyPair>; readonly percent?: number } = {},
    ) => {
      const found = await findingsOf(rig, ([host]) => (host ? siteChecks(host, site(more.pair)) : []), {
        programs: { curl: SPEECHLESS, ...programs },
        percent: more.percent ?? 100,
      })
      return found.filter(({ label }) => /presents the certificate|is valid for/.test(label))
    }

    it('pass with a complete certificate although the connection stays open, with one handshake', async () => {
      const log = `${rig.empty()}/log`
      const found = await certificates({ openssl: shows(good.certificate, log) })
      expect(found.map(({ outcome }) => outcome)).to.deep.equal(['passed', 'passed'])
      expect(readFileSync(log, 'utf8')).to.equal('\n')
    })

    it('are unknown, without advice to renew it, if the handshake does not complete', async () => {
      const found = await certificates({ openssl: SILENT }, { percent: 5 })
      expect(found.map(({ outcome, problem }) => [outcome, problem?.next])).to.deep.equal([
        ['unknown', undefined],
        ['unknown', undefined],
      ])
      expect(`unknown: ${found[0]?.problem?.message}`).to.match(SLOW)
    })

    it('fail without advice to renew it if there is no connection', async () => {
      const found = await certificates({ openssl: 'echo connect:errno=111 >&2; exit 1' })
      expect(
        found.map(({ outcome, problem }) => [outcome, problem?.message, problem?.details, problem?.next]),
      ).to.deep.equal(Array(2).fill(['failed', 'the site presents no certificate', ['connect:errno=111'], undefined]))
    })

    it('advise to renew it only if it expires soon', async () => {
      const log = `${rig.empty()}/log`
      const old = day(3)
      const found = await certificates({ openssl: shows(old, log) }, { pair: { certificate: old } })
      const [, near] = await certificates({ openssl: shows(old, log) })
      expect(found[0]?.outcome).to.equal('passed')
      expect(near?.problem?.message).to.equal(`it is valid until ${new X509Certificate(old).validTo}`)
      expect(near?.problem?.next).to.equal('Renew it.')
      const [another] = await certificates({ openssl: shows(day(80), log) })
      expect(another?.problem?.message).to.equal('the site presents another certificate')
    })

    const acme = { thumbprint: 'thumb' }
    const served = async (curl: string, percent = 100) => {
      const found = await findingsOf(rig, ([host]) => (host ? siteChecks(host, site(acme)) : []), {
        programs: { openssl: SPEECHLESS, curl },
        percent,
      })
      return found.slice(2)
    }

    it('name the account and the order only if these are missing', async () => {
      const untrusted = await served('echo "curl: (60) not trusted" >&2; exit 60')
      expect(untrusted.map(({ outcome, problem }) => [outcome, problem?.message, problem?.next])).to.deep.equal([
        ['failed', 'curl: (60) not trusted', 'Order it: provision renew-certificates'],
        ['failed', 'curl: (60) not trusted', undefined],
        ['failed', 'curl: (60) not trusted', undefined],
      ])
      const dead = await served('echo "curl: (7) refused" >&2; exit 7')
      expect(dead.map(({ problem }) => problem?.next)).to.deep.equal([undefined, undefined, undefined])
      const other = await served(
        'case $* in *acme*) echo nothing ;; *--resolve*:80:*) printf "301 https://site.test/a?b" ;; esac',
      )
      expect(other.map(({ outcome }) => outcome)).to.deep.equal(['passed', 'failed', 'passed'])
      expect(other[1]?.problem?.next).to.equal('Run provision: the balancers do not know the account yet.')
    })

    it('are unknown if curl does not end', async () => {
      const found = await served(SILENT, 5)
      for (const { outcome, problem } of found) expect([outcome, problem?.next]).to.deep.equal(['unknown', undefined])
    })
  })

  describe('of the balancers', () => {
    const stat = (state: string) =>
      `cat >/dev/null; printf '%s\\n' '# pxname,svname' 'web,web1,,,,,,,,,,,,,,,,${state},'`
    const service = (socat: string, percent = 100) =>
      results((host) => serversInService(host, 'web', [{ name: 'web1' }]), { socat }, percent)

    it('are unknown if haproxy does not answer on its socket', async () => {
      expect((await service(SILENT, 5))[0]).to.match(SLOW)
      expect(await service(SPEECHLESS)).to.deep.equal(['unknown: haproxy does not answer on its socket'])
    })

    it('fail by its answer, or by a refused connection', async () => {
      expect(await service(stat('UP'))).to.deep.equal(['passed'])
      expect(await service(stat('DOWN'))).to.deep.equal(['failed: web1 is DOWN; '])
      expect(await service('cat >/dev/null; echo "# pxname,svname"')).to.deep.equal([
        'failed: web1 is not in its configuration; ',
      ])
      expect(await service('echo socat: Connection refused >&2; exit 1')).to.deep.equal([
        'failed: socat: Connection refused',
      ])
    })

    const balancer = async (programs: Programs, percent = 100) =>
      results(
        (host) =>
          haproxyChecks(host, {
            domain: 'site.test',
            certificate: { certificate: selfSigned('site.test', 90), key: new Secret(() => 'key') },
            servers: [],
          }),
        programs,
        percent,
      )

    it('are unknown if no program reports the certificate or the servers', async () => {
      const [, servers, , certificate] = await balancer({ curl: SILENT, socat: SILENT }, 5)
      expect(servers).to.match(SLOW)
      expect(certificate).to.match(SLOW)
      expect((await balancer({ curl: SPEECHLESS, socat: SPEECHLESS })).slice(2)).to.deep.equal(
        Array(2).fill('unknown: haproxy does not answer on its socket'),
      )
      const other = 'cat >/dev/null; echo Serial: 1; echo SHA1 FingerPrint: 00'
      expect((await balancer({ curl: SPEECHLESS, socat: other }))[3]).to.equal('failed: it has another certificate')
    })

    it('are unknown if ip gives no answer', async () => {
      const held = (ip: string, percent = 100) =>
        results((host) => keepalivedChecks({ hosts: [host] }, '198.18.0.1/24')[0], { ip }, percent)
      expect((await held(SILENT, 5))[0]).to.match(/^unknown: web1: no answer within/)
      expect(await held(SPEECHLESS)).to.deep.equal(['unknown: web1 does not report its addresses'])
      expect(await held('exit 1')).to.deep.equal(['unknown: web1: it ended with status 1'])
      expect(await held('echo "1: lo    inet 127.0.0.1/8"')).to.deep.equal(['failed: no host holds it'])
      expect(await held('echo "1: lo    inet 127.0.0.1/8"; echo "2: eth0    inet 198.18.0.1/24 scope"')).to.deep.equal([
        'passed',
      ])
    })

    it('fail if two hosts have the address, whatever a third one reports', () => {
      const answer = (name: string, said: string | Problem) => ({
        host: { name, group: 'lb', address: '' },
        answer: said instanceof Problem ? said : { said, from: 0, to: 0 },
      })
      const has = '2: eth0    inet6 2001:db8::1/64'
      const all = [answer('lb1', has), answer('lb2', has), answer('lb3', new Unknown('slow'))]
      expect(vipHolderProblem(all, '2001:DB8:0::1')).to.equal('lb1 and lb2 hold it')
    })
  })

  describe('of the servers', () => {
    const host = (one: Host) => ({ ...one, port: 8080 })
    const PATHS = { ready: '/readyz', live: '/livez', pages: true }
    const app = { name: 'app1', address: '127.0.0.1', port: 3000 }

    it('are unknown if curl does not end, or ends at its own timeout', async () => {
      const web = await results((one) => nginxChecks(host(one), { ...PATHS, apps: [app] }), { curl: SILENT }, 5)
      expect(web[0]).to.equal('passed')
      for (const line of web.slice(1)) expect(line).to.match(SLOW)
      const [, own] = await results((one) => nginxChecks(host(one), { ...PATHS, apps: [] }), {
        curl: 'echo "curl: (28) Operation timed out" >&2; exit 28',
      })
      expect(own).to.equal('unknown: curl: (28) Operation timed out')
    })

    it('are unknown if the application does not answer, and fail if its process has the directory of another release', async () => {
      const systemctl = `case $* in *--value*) echo 4711 ;; *) ${RUNNING} ;; esac`
      const readlink = (release: string) =>
        `case $* in -f*) echo /srv/notes/releases/two ;; */4711/cwd) echo /srv/notes/releases/${release} ;; esac`
      const checks = (one: Host) => appChecks(host(one), { name: 'notes' })
      const slow = await findingsOf(rig, (hosts) => hosts.map(checks), {
        programs: { systemctl, readlink: readlink('two'), curl: SILENT },
        percent: 5,
      })
      expect(slow.map(({ outcome, problem }) => [outcome, problem?.next])).to.deep.equal([
        ['passed', undefined],
        ['unknown', undefined],
        ['passed', undefined],
      ])
      const release = async (name: string) =>
        (await results(checks, { systemctl, readlink: readlink(name), curl: 'exit 0' }))[2]
      expect(await release('two')).to.equal('passed')
      expect(await release('one')).to.equal('failed: the current release is two, and it runs one')
    })
  })

  describe('of the backups', () => {
    const programs = { setpriv: 'while [ "$1" != pgbackrest ]; do shift; done; exec "$@"' }
    const backups = async (pgbackrest: string, systemctl = RUNNING, percent = 100) => {
      const checks = (one: Host) => backupChecks(one, group('db', []))
      return results(checks, { ...programs, pgbackrest, systemctl }, percent)
    }

    it('are unknown if pgBackRest or systemd gives no answer', async () => {
      const silent = await backups(SILENT, SILENT, 5)
      expect(silent[1]).to.match(SLOW)
      expect(silent[3]).to.match(SLOW)
      const speechless = await backups(SPEECHLESS, SPEECHLESS)
      expect([speechless[1], speechless[3]]).to.deep.equal([
        'unknown: pgbackrest gave no answer',
        'unknown: systemd does not report the timers',
      ])
    })

    it('fail if there is no backup, or if one of the timers does not run', async () => {
      const one = RUNNING.replace(
        'ActiveState=active',
        '"ActiveState=$(case $one in *diff.timer) echo inactive ;; *) echo active ;; esac)"',
      )
      const found = await backups('echo "[]"', one)
      expect([found[1], found[3]]).to.deep.equal([
        'failed: there is no backup',
        'failed: pgbackrest-backup@diff.timer is inactive',
      ])
    })
  })
})
