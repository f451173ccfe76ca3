import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { execa } from 'execa'
import { readState } from '../../src/lab/base/state.ts'
import { downLab, type Lab, openLab, upLab } from '../../src/lab/index.ts'
import { Problem } from '../../src/model/problem.ts'
import { eventually } from './support.ts'

const name = 'test-lab'
/** Options for ssh to a host that does not answer. */
const SOON = ['-o', 'ConnectTimeout=2']

/** All tests share one lab and run in this order; each one restores the lab. */
describe('a lab of two hosts', () => {
  let lab: Lab

  before(async () => {
    await downLab(name)
    lab = await upLab({ name, hosts: ['web1', 'db1'] })
  })

  after(() => downLab(name))

  const ssh = (host: string, command: string, ...options: readonly string[]) =>
    execa('ssh', ['-F', lab.sshConfig, ...options, host, command], {
      reject: false,
    })
  const bootId = async (host: string) => (await ssh(host, 'cat /proc/sys/kernel/random/boot_id')).stdout
  const reaches = async (host: string, peer: string) => {
    const { code } = await lab.exec(host, `ping -c 1 -W 1 ${lab.host(peer).address}`)
    return code === 0
  }

  describe('hosts', () => {
    it('answer on loopback with the key from the lab', async () => {
      const { host, port, hostKey, identityFile, user } = lab.host('web1').ssh
      const { stdout: scanned } = await execa('ssh-keyscan', ['-t', 'ed25519', '-p', String(port), host])
      const { stdout: print } = await execa('ssh-keygen', ['-lf', '-'], { input: scanned })
      expect(print.split(' ')[1]).to.equal(hostKey)
      expect(existsSync(identityFile)).to.equal(true)
      expect((await ssh('web1', 'hostname; whoami')).stdout.split('\n')).to.deep.equal(['web1', user])
    })

    it('run systemd, without a failed unit', async () => {
      for (const { name: host } of lab.hosts) {
        const { stdout } = await lab.exec(host, 'systemctl is-system-running --wait; systemctl --failed --no-legend')
        expect(stdout.trim()).to.equal('running')
      }
    })

    it('let deploy become root without a password, and operator with the password of this lab', async () => {
      expect((await ssh('db1', 'sudo -n id -u')).stdout).to.equal('0')
      expect((await ssh('db1', 'sudo -n id -u', '-l', 'operator')).stderr).to.include('password is required')
      const options = ['-F', lab.sshConfig, '-l', 'operator', 'db1', 'sudo -S -p "" id -u']
      expect((await execa('ssh', options, { input: `${lab.secret('operator')}\n` })).stdout).to.equal('0')
    })

    it('install packages, and have no other access to the outside', async () => {
      const install = 'sudo apt-get -qq update && sudo apt-get -qq install -y --no-install-recommends tree'
      await Promise.all(
        lab.hosts.map(async ({ name: host }) => {
          expect(await ssh(host, `${install} >/dev/null && tree --version`)).to.deep.include({ exitCode: 0 })
        }),
      )
      const { stdout } = await lab.exec(
        'web1',
        'curl -sS -o /dev/null -w "%{http_code}" -x http://198.18.0.1:3142 http://other.example/',
      )
      expect(stdout).to.equal('403')
    })

    it('reach one another', async () => {
      expect(await reaches('web1', 'db1')).to.equal(true)
    })

    it('are suggested for a mistyped name', () => {
      expect(() => lab.host('web11'))
        .to.throw(Problem)
        .with.property('next', 'Did you mean "web1"?')
    })
  })

  describe('simulates', () => {
    it('a reboot from inside: a new boot ID, the same disk, a clean network', async () => {
      const before = await bootId('web1')
      await ssh('web1', 'sudo touch /var/kept; sudo ip addr add 198.18.0.99/32 dev eth0; sudo systemctl reboot')
      await until(async () => ![before, ''].includes(await bootId('web1')))
      const { stdout } = await ssh('web1', 'ls /var/kept; ip -br addr show eth0')
      expect(stdout).to.include('/var/kept').and.include('198.18.0.21').and.not.include('198.18.0.99')
    })

    it('a power loss, and a start after it', async () => {
      await lab.kill('db1')
      expect(await reaches('web1', 'db1')).to.equal(false)
      expect((await ssh('db1', 'true', ...SOON)).exitCode).to.equal(255)
      expect(await states(lab)).to.deep.equal({ web1: 'running', db1: 'off' })
      await lab.start('db1')
      expect((await ssh('db1', 'tree --version')).exitCode).to.equal(0)
    })

    it('the power button', async () => {
      await lab.poweroff('web1')
      expect(await states(lab)).to.deep.equal({ web1: 'off', db1: 'running' })
      await lab.start('web1')
      expect(await bootId('web1')).to.have.length(36)
    })

    it('a reset', async () => {
      const before = await bootId('web1')
      await lab.reset('web1')
      expect(await bootId('web1'))
        .to.have.length(36)
        .and.not.equal(before)
    })

    it('a disconnected network while the host runs on', async () => {
      await lab.cut('web1')
      expect((await ssh('web1', 'true', ...SOON)).exitCode).to.equal(255)
      expect(await reaches('db1', 'web1')).to.equal(false)
      expect((await lab.exec('web1', 'systemctl is-system-running')).stdout).to.equal('running\n')
      await lab.uncut('web1')
      // After a failed attempt, the kernel caches the missing neighbour for a moment.
      await eventually(async () => (await ssh('web1', 'true')).exitCode === 0)
    })

    it('a network partition between two hosts', async () => {
      await lab.split('web1', 'db1')
      expect([await reaches('web1', 'db1'), await reaches('db1', 'web1')]).to.deep.equal([false, false])
      expect((await ssh('db1', 'true')).exitCode).to.equal(0)
      await lab.heal('db1', 'web1')
      await until(() => reaches('web1', 'db1'))
    })

    it('frozen processes', async () => {
      await lab.freeze('db1')
      expect(await reaches('web1', 'db1')).to.equal(true)
      expect((await ssh('db1', 'true', ...SOON)).stderr).to.include('banner exchange')
      await lab.thaw('db1')
      expect((await ssh('db1', 'true')).exitCode).to.equal(0)
    })

    it('a slow connection to sshd', async () => {
      await lab.delay('db1', 50)
      const begin = Date.now()
      await execa('ssh-keyscan', ['-p', String(lab.host('db1').ssh.port), '127.0.0.1'])
      expect(Date.now() - begin).to.be.above(150)
      await lab.delay('db1', 0)
    })

    it('a full disk', async () => {
      await lab.fillDisk('db1')
      expect((await lab.exec('db1', 'cp /etc/services /var/more')).stderr).to.include('No space left on device')
      await lab.freeDisk('db1')
      expect((await lab.exec('db1', 'cp /etc/services /var/more')).code).to.equal(0)
    })
  })

  describe('commands', () => {
    const provision = (...args: readonly string[]) =>
      execa(process.execPath, ['bin/provision.js', 'lab', ...args], { reject: false })

    it('show the hosts, and the faults that were injected', async () => {
      await provision('cut', '--name', name, 'web1')
      const { stdout } = await provision('status', '--name', name)
      expect(stdout)
        .to.match(/^web1 +198\.18\.0\.21 +running, cut[ ,]/m)
        .and.to.match(/^db1 +198\.18\.0\.41 +running[ ,]/m)
      expect((await provision('uncut', '--name', name, 'web1')).stdout).to.equal('web1 is connected again')
    })

    it('log in and pass on the arguments and the exit status', async () => {
      const done = await provision('ssh', '--name', name, 'db1', 'ls', '-d', '/etc;', 'exit', '7')
      expect(done).to.deep.include({ stdout: '/etc', exitCode: 7 })
    })

    it('show the next action if a name is wrong', async () => {
      const done = await provision('kill', '--name', name, 'web11')
      expect(done).to.deep.include({ stdout: '', exitCode: 64 })
      expect(done.stderr).to.include('has no host "web11"').and.to.include('Did you mean "web1"?')
    })
  })

  describe('up on an existing lab', () => {
    it('changes nothing', async () => {
      const boots = () =>
        Promise.all(lab.hosts.map((host) => lab.exec(host.name, 'cat /proc/sys/kernel/random/boot_id')))
      const before = await boots()
      lab = await upLab({ name })
      expect(await boots()).to.deep.equal(before)
    })

    it('adds a host, or removes all faults', async () => {
      await lab.kill('web1')
      await lab.freeze('db1')
      lab = await upLab({ name, hosts: ['web2'] })
      expect(await states(lab)).to.deep.equal({ web1: 'running', db1: 'running', web2: 'running' })
      expect((await ssh('web2', 'hostname')).stdout).to.equal('web2')
      expect((await ssh('db1', 'true')).exitCode).to.equal(0)
    })

    it('attaches to the hosts after the supervisor died', async () => {
      const { ports, hosts } = lab
      const supervisor = readState(name)?.supervisor.pid
      if (supervisor) process.kill(supervisor, 'SIGKILL')
      await until(async () => !isOpen())
      lab = await upLab({ name })
      expect({ ports: lab.ports, hosts: lab.hosts }).to.deep.equal({ ports, hosts })
      expect((await ssh('web1', 'ls /var/kept')).stdout).to.equal('/var/kept')
    })

    it('does not change the Debian release', async () => {
      const problem = await upLab({ name, debian: 12 }).catch((error: unknown) => error)
      expect(problem).to.be.instanceOf(Problem).and.to.have.property('message', `The lab "${name}" runs Debian 13.`)
    })
  })

  describe('down', () => {
    it('leaves nothing', async () => {
      const namespaces = new Set(['net', 'mnt'].map((kind) => namespaceOf(supervisorOf(name), kind)))
      const { directory } = lab
      await downLab(name)
      expect(
        processes().filter((pid) => ['net', 'mnt'].some((kind) => namespaces.has(namespaceOf(pid, kind)))),
      ).to.deep.equal([])
      expect(existsSync(directory)).to.equal(false)
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).to.not.match(new RegExp(`/${name}[/ ]`))
      expect((await execa('losetup', ['--all'])).stdout).to.not.match(new RegExp(`/${name}[/ ]`))
      expect((await execa('find', ['/sys/fs/cgroup', '-name', name])).stdout).to.equal('')
      expect(isOpen()).to.equal(false)
    })
  })
})

async function states(lab: Lab): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries((await lab.status()).map(({ name, power }) => [name, power]))
}

function isOpen(): boolean {
  try {
    openLab(name)
    return true
  } catch (error) {
    expect(error).to.be.instanceOf(Problem).and.to.have.property('message', `The lab "${name}" is not up.`)
    return false
  }
}

function supervisorOf(lab: string): number {
  return readState(lab)?.supervisor.pid ?? 0
}

function processes(): readonly number[] {
  return readdirSync('/proc').map(Number).filter(Boolean)
}

function namespaceOf(pid: number, kind: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`)
  } catch {
    return 'none' // a kernel process, or one that has ended
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(50)
}
