import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { expect } from 'chai'
import { baseChecks, clocksAgree, portsClosed, portsOpen, runs, type Target } from '../../roles/base/checks.ts'
import { clockSkew } from '../../roles/base/lib/clock-skew.ts'
import type { Checks, Host } from '../../src/index.ts'
import { Problem } from '../../src/index.ts'
import { type CheckOptions, findingsOf, resultsOf, SILENT, SPEECHLESS } from '../support/checks.ts'
import { ownRig } from '../support/rig.ts'

const SLOW = /^unknown: no answer within 1 s \(an empty script took \S+ s on the host\)$/

describe('checks of a slow host', () => {
  const rig = ownRig()
  const results = (checks: (host: Host) => Checks, options?: CheckOptions) =>
    resultsOf(rig, (hosts) => hosts.map(checks), options).then((lines) =>
      // The limit grows with the time that this machine needs to start a process.
      lines.map((line) => line.replace(/within [\d.]+ s/, 'within 1 s')),
    )

  describe('connections', () => {
    let server: Server
    let full: ChildProcess
    let [open, refused, dropped]: readonly Target[] = []
    before(async () => {
      server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
      await once(server, 'listening')
      open = door('open', portOf(server))
      const closed = createServer().listen(0, '127.0.0.1')
      await once(closed, 'listening')
      refused = door('refused', portOf(closed))
      closed.close()
      await once(closed, 'close')
      // A port with a full backlog: the kernel drops further attempts, as a firewall does.
      full = spawn('perl', ['-e', FULL], { stdio: ['ignore', 'pipe', 'inherit'] })
      const [line] = await once(full.stdout ?? full, 'data')
      dropped = door('dropped', Number(line))
    })
    after(() => {
      server.close()
      full.kill()
    })
    const door = (name: string, port: number): Target => ({ name, address: '127.0.0.1', port })
    const all = (...doors: readonly (Target | undefined)[]) => doors.filter((one) => one !== undefined)

    /** Starting perl takes longer than the timeout of the connections. */
    const slow = { perl: 'sleep 1.1; exec /usr/bin/perl "$@"' }

    it('are reported as open or refused, however long the start of a process takes', async () => {
      for (const programs of [{}, slow]) {
        const said = await results(
          (host) => [
            portsOpen(host, all(open)),
            portsClosed(host, all(open)),
            portsOpen(host, all(refused)),
            portsClosed(host, all(refused)),
          ],
          { programs },
        )
        expect(said).to.deep.equal([
          'passed',
          `failed: open:${open?.port}: accepts connections`,
          `failed: refused:${refused?.port}: refuses connections`,
          'passed',
        ])
      }
    })

    it('are unknown without an answer, because the host may be slow or a firewall may drop them', async () => {
      const none = `dropped:${dropped?.port}: no answer within 1 s`
      const said = await results((host) => [
        portsOpen(host, all(dropped)),
        portsClosed(host, all(dropped)),
        portsClosed(host, all(dropped), { controls: all(dropped) }),
      ])
      expect(said).to.deep.equal([
        `unknown: ${none}; there is no other port to compare with`,
        `unknown: ${none}; there is no other port to compare with`,
        `unknown: ${none}; none from dropped:${dropped?.port}`,
      ])
    })

    it('are reported as dropped if a control port answers', async () => {
      const said = await results((host) => [
        portsOpen(host, all(dropped), { controls: all(open) }),
        portsOpen(host, all(open, dropped)),
        portsClosed(host, all(dropped, refused), { controls: all(open) }),
        portsClosed(host, all(dropped, open), { controls: all(refused) }),
      ])
      expect(said).to.deep.equal([
        `failed: dropped:${dropped?.port}: no answer within 1 s`,
        `failed: dropped:${dropped?.port}: no answer within 1 s`,
        'passed',
        `failed: open:${open?.port}: accepts connections`,
      ])
    })

    it('are unknown if the host name cannot be resolved', async () => {
      const nowhere = { name: 'nowhere', address: 'nowhere.invalid', port: 1 }
      const said = await results((host) => [
        portsClosed(host, [nowhere], { controls: all(open) }),
        portsOpen(host, [nowhere]),
      ])
      for (const line of said) expect(line).to.match(/^unknown: nowhere:1: /)
    })
  })

  describe('a service', () => {
    const service = (systemctl: string, percent = 100) =>
      results((host) => runs(host, 'nginx'), { programs: { systemctl, journalctl: SPEECHLESS }, percent })
    const shown = (properties: string) =>
      `printf '%s\\n' Id=init.scope LoadState=loaded ActiveState=active '' ${properties} Id=nginx.service LoadState=loaded`

    it('is unknown if systemd gives no answer, or an incomplete one', async () => {
      expect((await service(SILENT, 5))[0]).to.match(SLOW)
      expect(await service('echo Failed to connect to bus >&2; exit 1')).to.deep.equal([
        'unknown: Failed to connect to bus',
      ])
      expect(await service(SPEECHLESS)).to.deep.equal(['unknown: systemd does not report it'])
      expect(await service(shown('ActiveState=active'))).to.deep.equal([
        'unknown: systemd does not report its start time',
      ])
    })

    it('is unknown if its process cannot be read', async () => {
      const gone = shown('ActiveState=active NRestarts=0 ActiveEnterTimestampMonotonic=1 MainPID=999999999')
      expect((await service(gone))[0]).to.match(/^unknown: /)
    })

    it('fails if its process is stopped', async () => {
      const sleeper = spawn('sleep', ['100000'])
      sleeper.kill('SIGSTOP')
      const stopped = shown(`ActiveState=active NRestarts=0 ActiveEnterTimestampMonotonic=1 MainPID=${sleeper.pid}`)
      const said = await service(stopped)
      sleeper.kill('SIGKILL')
      expect(said).to.deep.equal([`failed: process ${sleeper.pid} is stopped: kill -CONT ${sleeper.pid}`])
    })

    it('passes if it runs, and fails otherwise', async () => {
      const started = 'NRestarts=0 ActiveEnterTimestampMonotonic=1 MainPID=$$'
      expect(await service(`${shown(`ActiveState=active ${started.replace('$$', '$PPID')}`)}`)).to.deep.equal([
        'passed',
      ])
      expect(await service(shown(`ActiveState=failed ${started}`))).to.deep.equal(['failed: it is failed'])
      expect(await service(shown(`ActiveState=active FreezerState=frozen ${started}`))).to.deep.equal([
        'failed: it is frozen',
      ])
      expect(await service('printf "%s\\n" Id=init.scope ActiveState=active')).to.deep.equal([
        'failed: the unit does not exist',
      ])
      expect(
        await service('printf "%s\\n" Id=nginx.service LoadState=not-found ActiveState=inactive "" Id=init.scope'),
      ).to.deep.equal(['failed: the unit does not exist'])
      const other = `printf '%s\\n' '' Id=old.service ActiveState=failed`
      expect(await service(`${shown(`ActiveState=active ${started.replace('$$', '0')}`)}; ${other}`)).to.deep.equal([
        'passed',
      ])
      const again = shown('ActiveState=active NRestarts=3 MainPID=1 ActiveEnterTimestampMonotonic=999999999999999')
      expect((await service(again))[0]).to.match(/^failed: it restarted 3 times/)
    })
  })

  describe('disks and units', () => {
    const base = (programs: Readonly<Record<string, string>>, percent = 100) =>
      results((host) => baseChecks(host), {
        programs: { df: DF(12), systemctl: 'echo NFailedUnits=0', ...programs },
        percent,
      })
    const DF = (used: number, more = '') => `cat <<'END'
Filesystem     1024-blocks     Used Available Capacity Mounted on
/dev/vda1         41020640 31000000   8000000      ${used}% /srv
END
${more}`

    it('pass if the programs report no problem', async () => {
      expect([...new Set(await base({}))]).to.deep.equal(['passed'])
    })

    it('are unknown if df or systemctl gives no answer', async () => {
      const silent = await base({ df: SILENT, systemctl: SILENT }, 5)
      expect(silent[0]).to.match(SLOW)
      expect(silent[2]).to.match(SLOW)
      const speechless = await base({ df: SPEECHLESS, systemctl: SPEECHLESS })
      expect([speechless[0], speechless[2]]).to.deep.equal([
        'unknown: df reports no disk: ',
        'unknown: systemd does not report the number of failed units',
      ])
      const broken = await base({ df: 'echo df: no >&2; exit 1', systemctl: 'exit 1' })
      expect([broken[0], broken[2]]).to.deep.equal([
        'unknown: df reports no disk: df: no',
        'unknown: systemd does not answer',
      ])
    })

    it('fail if a known part fails, even if another part is unknown', async () => {
      const lost = 'echo "df: /mnt: Transport endpoint is not connected" >&2; exit 1'
      const failed = `case $* in *NFailed*) echo NFailedUnits=1 ;; *) echo 'apt.service loaded failed failed x' ;; esac`
      const both = await base({ df: DF(97, lost), systemctl: failed })
      expect([both[0], both[2]]).to.deep.equal(['failed: /srv is 97% full', 'failed: apt.service'])
      expect((await base({ df: DF(9, lost) }))[0]).to.equal('unknown: df: /mnt: Transport endpoint is not connected')
    })
  })

  describe('clocks', () => {
    const read = (name: string, clock: number, from: number, to: number) => ({
      host: { name, group: 'web', address: '' },
      answer: { said: `${clock / 1000}\n`, from, to },
    })

    it('are never reported as different because an answer is late', () => {
      const late = [read('a', 1_000, 990, 1_010), read('b', 1_000, 900, 2_400)]
      expect(clockSkew(late, 1)).to.be.instanceOf(Problem)
      expect(String(clockSkew(late, 1))).to.include('b took 1.5 s to return its time, too long to compare clocks')
      expect(clockSkew([read('a', 1_000, 990, 1_010), read('b', 1_000, 900, 1_400)], 1)).to.equal(undefined)
    })

    it('are reported as different if no delay explains it', () => {
      expect(clockSkew([read('a', 1_000, 990, 1_010), read('b', 9_000, 900, 2_400)], 1)).to.equal(
        'b is 6.6 s ahead of a',
      )
    })

    it('are unknown if a host returns no time', () => {
      const mute = { ...read('b', 0, 0, 0), answer: { said: 'x', from: 0, to: 1 } }
      expect(String(clockSkew([read('a', 1_000, 990, 1_010), mute], 1))).to.include('b: date returned no time')
    })

    it('agree on two names of one machine, even with a slow date and slow other checks', async () => {
      const two = async (date: string) => {
        const found = await findingsOf(rig, (hosts) => clocksAgree(hosts), {
          names: ['web1', 'web2'],
          programs: { date },
        })
        return found.at(-1)?.outcome
      }
      expect(await two('exec /bin/date "$@"')).not.to.equal('failed')
      expect(await two('/bin/date "$@"; sleep 1.4')).to.equal('unknown')
    })
  })
})

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

/** Listens with the shortest backlog, fills it, and prints the port. */
const FULL = `use Socket; $| = 1;
socket my $s, PF_INET, SOCK_STREAM, 0; bind $s, sockaddr_in(0, INADDR_LOOPBACK); listen $s, 0;
my ($port) = sockaddr_in(getsockname $s);
use Fcntl; my @c;
for (1 .. 4) { socket my $c, PF_INET, SOCK_STREAM, 0; fcntl $c, F_SETFL, O_NONBLOCK; connect $c, sockaddr_in($port, INADDR_LOOPBACK); push @c, $c; select undef, undef, undef, 0.05 }
print "$port\\n"; sleep 100000`
