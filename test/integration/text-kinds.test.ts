import { expect } from 'chai'
import {
  attributes,
  block,
  caCertificate,
  concat,
  copied,
  file,
  knownHosts,
  line,
  localDirectory,
  reloaded,
  role,
  type Steps,
  setting,
  sh,
  sudoers,
  transaction,
  tree,
  user,
} from '../../src/index.ts'
import { type Debian, downLab, type Lab } from '../../src/lab/index.ts'
import { selfSigned } from '../support/self-signed.ts'
import { onLab } from './lab-site.ts'
import { DEBIAN, freshLab, NIGHTLY, noHosts } from './support.ts'

const RELEASES: readonly Debian[] = NIGHTLY ? [12, 13] : [DEBIAN]

for (const debian of RELEASES)
  describe(`kinds that edit files, on Debian ${debian}`, function () {
    this.slow('20s')
    const name = `test-text-${debian}`
    let lab: Lab

    before(async function () {
      if (noHosts()) return this.skip()
      lab = await freshLab({ name, debian, hosts: ['web1'] })
    })
    after(async () => {
      if (!noHosts()) await downLab(name)
    })

    const on = async (command: string) => {
      const { code, stdout, stderr } = await lab.exec('web1', command)
      if (code !== 0) throw new Error(`${command}: ${stdout}${stderr}`)
      return stdout
    }
    /** Plans the steps, applies them as planned, and checks that a second run has nothing to do. */
    const settled = async (steps: Steps) => {
      const plan = await onLab(lab, steps, 'plan')
      const ran = await onLab(lab, steps)
      expect([...plan.problems, ...ran.problems]).to.deep.equal([])
      const sure = (all: readonly string[]) => all.map((one) => one.replace(/^planned /, 'changed '))
      expect(ran.steps.filter((_one, i) => !plan.steps[i]?.startsWith('deferred '))).to.deep.equal(
        sure(plan.steps.filter((one) => !one.startsWith('deferred '))),
      )
      const again = await onLab(lab, steps)
      expect(again.steps.filter((one) => !one.startsWith('ok '))).to.deep.equal([])
      return ran.steps
    }
    const failed = async (steps: Steps) => {
      const { problems } = await onLab(lab, steps)
      expect(problems).to.have.length(1)
      return problems.join()
    }

    it('are checked by sshd before they are in place, and keep its other lines', async () => {
      const conf = '/etc/ssh/sshd_config'
      const before = await on(`cat ${conf}`)
      const ssh = (level: string) =>
        transaction(
          'ssh',
          [
            line(conf, `LogLevel ${level}`, { match: /^#?LogLevel\s/ }),
            block(conf, 'deploy', 'Match User deploy\n  PermitTTY yes\n'),
          ],
          { validate: sh`sshd -t`, activate: reloaded('ssh') },
        )
      expect(await failed(ssh('LOUD'))).to.include('The validation of the new files failed')
      expect(await on(`cat ${conf}`)).to.equal(before)
      await settled(ssh('VERBOSE'))
      expect(await on('sshd -T -C user=deploy,host=a,addr=10.0.0.1 | grep -i loglevel')).to.equal('loglevel VERBOSE\n')
      await settled(
        transaction('ssh', [block.absent(conf, 'deploy')], { validate: sh`sshd -t`, activate: reloaded('ssh') }),
      )
    })

    it('set values in files of each format, and keep comments, owner and mode', async () => {
      const root = '/srv/text'
      await on(
        `mkdir -p ${root}; printf '{\\n  // kept\\n  "a": 1\\n}\\n' > ${root}/a.json; printf '# kept\\na:\\n  b: 1 # kept\\n' > ${root}/a.yaml; printf '; kept\\n[a]\\nb=1\\n' > ${root}/a.ini; printf '# kept\\n[a]\\nb = 1\\n' > ${root}/a.toml; chown deploy ${root}/*; chmod 0640 ${root}/*`,
      )
      const names = ['json', 'yaml', 'ini', 'toml'] as const
      await settled(
        names.map((suffix) =>
          setting(`${root}/a.${suffix}`, ['a', 'b'].slice(suffix === 'json' ? 1 : 0) as [string], 2),
        ),
      )
      expect(await on(`grep -c kept ${root}/*; stat -c '%U %a' ${root}/*`)).to.equal(
        `${[...names]
          .sort()
          .map((suffix) => `${root}/a.${suffix}:${suffix === 'yaml' ? 2 : 1}\n`)
          .join('')}${'deploy 640\n'.repeat(4)}`,
      )
    })

    it('never let rules in place that sudo rejects', async () => {
      expect(await failed(sudoers('kinds', 'deploy ALL=(root NOPASSWD: ALL'))).to.match(
        /kinds:1:\d+: .*(\n.*)*The validation/,
      )
      await on('! [ -e /etc/sudoers.d/kinds ]')
      await settled(sudoers('kinds', 'deploy ALL=(root) NOPASSWD: /usr/bin/true'))
      expect(await on('sudo -l -U deploy')).to.include('(root) NOPASSWD: /usr/bin/true')
      expect(await on('stat -c "%U:%G %a" /etc/sudoers.d/kinds')).to.equal('root:root 440\n')
      await settled(sudoers.absent('kinds'))
    })

    it('make the programs of a host trust an authority, and see when they do not', async () => {
      const pem = selfSigned('kinds.test', 30)
      await settled(caCertificate('kinds', pem))
      const verify =
        'openssl verify -CAfile /etc/ssl/certs/ca-certificates.crt /usr/local/share/ca-certificates/kinds.crt'
      expect(await on(verify)).to.include(': OK')
      await on('rm /etc/ssl/certs/kinds.pem')
      expect(await settled(caCertificate('kinds', pem))).to.deep.equal(['changed caCertificate kinds'])
      await settled(caCertificate.absent('kinds'))
      expect((await lab.exec('web1', 'ls /etc/ssl/certs/kinds.pem')).code).not.to.equal(0)
    })

    it('set keys that ssh finds, also in a file with hashed names', async () => {
      const key = (await on('cut -d" " -f1,2 /etc/ssh/ssh_host_ed25519_key.pub')).trim()
      await on(
        'echo "git.test,10.9.9.9 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIj0Xp8rkLtZ5LuWJ3S9JqCbU3sYxsYv3vP2yKb1uWkM" > /etc/ssh/ssh_known_hosts',
      )
      await settled(knownHosts('git.test', [key], { port: 22 }))
      expect(await on('ssh-keygen -F git.test -f /etc/ssh/ssh_known_hosts'))
        .to.include(key)
        .and.not.to.include('uWkM')
      await on('ssh-keygen -H -f /etc/ssh/ssh_known_hosts 2>&1')
      expect((await onLab(lab, knownHosts('git.test', [key]))).steps).to.deep.equal(['ok knownHosts git.test'])
      await settled(knownHosts.absent('git.test'))
      expect((await lab.exec('web1', 'ssh-keygen -F git.test -f /etc/ssh/ssh_known_hosts')).code).not.to.equal(0)
    })

    it('give a tree to a user that the same run creates, but nothing behind a link', async () => {
      await on(
        'mkdir -p /srv/given/deep; touch /srv/given/deep/file; ln -sfn /etc/hostname /srv/given/link; chmod 0700 /srv/given/deep',
      )
      await settled([
        user('kinds-owner'),
        attributes('/srv/given', { owner: 'kinds-owner', group: 'kinds-owner', mode: '0640', recursive: true }),
      ])
      expect(
        await on("stat -c '%U %a' /srv/given /srv/given/deep /srv/given/deep/file; stat -Lc %U /srv/given/link"),
      ).to.equal('kinds-owner 750\nkinds-owner 750\nkinds-owner 640\nroot\n')
    })

    it('keep a tree equal, and move what is strange in it away', async () => {
      const from = localDirectory(import.meta, 'kinds/content')
      await settled(tree('/srv/tree', from))
      await on('echo precious > /srv/tree/theirs; echo wrong > /srv/tree/right; ln -sfn /etc/hostname /srv/tree/other')
      await settled(tree('/srv/tree', from, { exclusive: true, mode: '0640', group: 'deploy' }))
      expect(
        await on(
          'ls /srv/tree; cat /srv/tree/right /var/lib/provision/removed/*/theirs; stat -c "%U:%G %a" /srv/tree /srv/tree/right',
        ),
      ).to.equal('empty\nother\nright\nright\nprecious\nroot:deploy 750\nroot:deploy 640\n')
    })

    it('write the fragments of two roles at once, and copies of what is there', async () => {
      const part = role('part', ({ key }: { readonly key: string }) =>
        concat('/etc/sysctl.d/60-kinds.conf', key, `# ${key}`),
      )
      const steps = await settled([
        part({ key: 'b' }),
        part({ key: 'a' }),
        file('/srv/once', 'first\n', { once: true }),
        copied('/etc/sysctl.d/60-kinds.conf', '/srv/copy', { mode: '0600' }),
      ])
      expect(steps).to.have.length(3)
      expect(await on('cat /etc/sysctl.d/60-kinds.conf; cat /srv/copy')).to.equal('# a\n# b\n'.repeat(2))
    })
  })
