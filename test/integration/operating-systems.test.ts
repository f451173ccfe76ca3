// cspell:ignore createrepo rpmbuild noarch newmail oldmail rpmnew rpmdb
import { expect } from 'chai'
import { base } from '../../roles/base/index.ts'
import { file, locale, pkg, role, type Steps, service } from '../../src/index.ts'
import type { Lab } from '../../src/lab/index.ts'
import type { RunEvent } from '../../src/model/event.ts'
import { InvalidParams } from '../../src/model/problem.ts'
import { onLab } from './lab-site.ts'
import { ownLab } from './support.ts'

/** Debian hosts with the os-release file of other systems. The programs are those of Debian, so this does not prove that a step runs on the other system. */
describe('a host whose system is not Debian', function () {
  this.slow('20s')
  const own = ownLab('test-systems', ['web1'], () => ({}))

  const exec = async (script: string) => {
    const { code, stdout, stderr } = await own.lab.exec('web1', script)
    expect(code, stdout + stderr).to.equal(0)
    return stdout.trim()
  }
  const become = (text: string) => exec(`rm -f /etc/os-release; printf '%s\\n' '${text}' >/etc/os-release`)
  const refusal = (...steps: readonly Steps[]) => refusalOn(own.lab, steps)

  describe('as Ubuntu', () => {
    before(() => become('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\nVERSION_CODENAME=noble'))

    it('takes kinds and roles without systems, and a role that names its release', async () => {
      const steps = [
        pkg('cron'),
        service('cron'),
        role('tool', (_params: object, { facts }) => file('/etc/tool', `${facts.os.version} ${facts.platform}\n`), {
          os: ['debian 13', 'ubuntu 24.04'],
        })({}),
      ]
      expect((await onLab(own.lab, steps)).problems).to.deep.equal([])
      expect(await exec('cat /etc/tool')).to.equal('24.04 debian')
      expect((await onLab(own.lab, steps)).summary.hosts[0]?.changed).to.equal(0)
    })

    it('rejects a role that was not tested on it, before any change and in the plan', async () => {
      const steps = [file('/etc/before', 'x'), base({})]
      for (const mode of ['plan', 'apply'] as const) {
        const { message, next } = await refusalOn(own.lab, steps, mode)
        expect(message).to.equal('web1 runs Ubuntu 24.04.')
        expect(next).to.equal('The role was tested on Debian 12 and Debian 13. Nothing was changed on any host.')
      }
      expect(await exec('test -e /etc/before && echo there || echo none')).to.equal('none')
    })
  })

  describe('with rpm and dnf', () => {
    before(async () => {
      await exec(REPOSITORY)
      await become('ID=rocky\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"')
    })

    /** Plans the steps, applies them, and returns the planned fields; a second run changes nothing. */
    const twice = async (...steps: readonly Steps[]) => {
      const plan = await onLab(own.lab, steps, 'plan')
      expect(plan.problems).to.deep.equal([])
      const { problems } = await onLab(own.lab, steps)
      expect(problems).to.deep.equal([])
      const again = await onLab(own.lab, steps)
      expect([...again.problems, ...fieldsIn(again.events)], 'the second run').to.deep.equal([])
      return fieldsIn(plan.events)
    }
    const failure = async (...steps: readonly Steps[]) => (await onLab(own.lab, steps)).problems.join('\n')
    const installed = (...names: readonly string[]) =>
      exec(`rpm -q --qf '%{NAME} %{VERSION}-%{RELEASE}\\n' ${names.join(' ')} | grep -v 'not installed'; :`)

    it('installs packages with what they need, without recommended ones', async () => {
      expect(await twice(pkg('app', 'tool'))).to.deep.equal(['app installed', 'tool installed'])
      expect(await installed('app', 'tool', 'lib', 'extra')).to.equal('app 1.0-1\ntool 2.0-1\nlib 1.0-1')
      expect(await twice(pkg('app'))).to.deep.equal([])
      expect(await twice(pkg('web-server'))).to.deep.equal([])
      expect(await failure(pkg('nothing-of-that-name'))).to.include('have no package nothing-of-that-name')
    })

    it('installs the newest version that fits a pattern, and an older one only if that is allowed', async () => {
      expect(await failure(pkg('tool', { version: '1.*' }))).to.include(
        'tool 1.10-1 is older than the installed version 2.0-1',
      )
      expect(await twice(pkg('tool', { version: '1.*', downgrade: true }))).to.deep.equal(['tool 2.0-1 → 1.10-1'])
      expect(await failure(pkg('tool', { version: '7.*' }))).to.include('have no package tool-7.*')
      const [, field] = [await twice(pkg.latest('tool')), await installed('tool')]
      expect(field).to.equal('tool 2.0-1')
      expect(await failure(pkg('tool', { version: '7.*' })), 'with new metadata')
        .to.include('have no tool 7.*')
        .and.include('2.0-1 from lab')
    })

    it('keeps a changed configuration file', async () => {
      await twice(pkg('tool', { version: '1.9-1', downgrade: true }))
      await exec('echo changed >/etc/tool.conf')
      await twice(pkg('tool', { version: '2.0-1' }))
      expect(await exec('cat /etc/tool.conf; ls /etc/tool.conf.rpmnew')).to.equal('changed\n/etc/tool.conf.rpmnew')
    })

    it('shows in the plan which package another one replaces, and replaces no others', async () => {
      await exec('rpm -i /srv/rpm/noarch/oldmail-1.0-1.noarch.rpm')
      expect(await twice(pkg('newmail'))).to.deep.equal(['newmail installed', 'oldmail installed → removed'])
      expect(await installed('oldmail', 'newmail')).to.equal('newmail 1.0-1')
    })

    it('removes packages, unless others need them', async () => {
      expect(await failure(pkg.absent('lib')))
        .to.include('other packages need lib')
        .and.include('app-1.0-1')
      expect(await installed('lib')).to.equal('lib 1.0-1')
      expect(await twice(pkg.absent('app', 'unknown-package'))).to.deep.equal(['app 1.0-1 → absent'])
      expect(await installed('app', 'lib')).to.equal('lib 1.0-1')
    })

    it('rejects a kind that has no scripts for it, before any change and in the plan', async () => {
      for (const mode of ['plan', 'apply'] as const) {
        const steps = [file('/etc/before', 'x'), locale('C.UTF-8')]
        const { message } = await refusalOn(own.lab, steps, mode)
        expect(message).to.include('it has scripts only for the platform debian, and web1 runs Rocky 9.4 (redhat)')
      }
      expect((await refusal(pkg('tool', { hold: true }))).message).to.include('the option hold needs apt')
      expect(await exec('test -e /etc/before && echo there || echo none')).to.equal('none')
    })
  })
})

async function refusalOn(lab: Lab, steps: Steps, mode: 'plan' | 'apply' = 'apply'): Promise<InvalidParams> {
  const error = await onLab(lab, steps, mode).catch((thrown: unknown) => thrown)
  if (error instanceof InvalidParams) return error
  throw new Error(`nothing was refused: ${JSON.stringify(error)}`)
}

/** The fields of the steps that change: `tool 1.0-1 → 2.0-1`. */
function fieldsIn(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) =>
    event.kind === 'step' && event.outcome !== 'ok' && 'difference' in event
      ? (event.difference?.fields ?? []).map(
          ({ name, from, to }) => `${name} ${from === undefined ? '' : `${from} → `}${to}`,
        )
      : [],
  )
}

/** A repository of rpm packages on the host, some in several versions. `newmail` replaces `oldmail`. */
const REPOSITORY = `set -e
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update && apt-get -qq -y install --no-install-recommends dnf rpm createrepo-c >/dev/null
mkdir -p /srv/rpm /etc/yum.repos.d && cd /srv/rpm
spec() { # name version extra
  mkdir -p /tmp/rpm
  printf 'Name: %s\\nVersion: %s\\nRelease: 1\\nSummary: test\\nLicense: MIT\\nBuildArch: noarch\\n%b\\n%%description\\ntest\\n' "$1" "$2" "$3" >/tmp/rpm/$1.spec
  printf '%b' "\${4:-%files\\n}" >>/tmp/rpm/$1.spec
  rpmbuild --quiet -bb --define '_topdir /tmp/rpm' --define '_rpmdir /srv/rpm' /tmp/rpm/$1.spec >/dev/null
}
for version in 1.9 1.10 2.0; do
  spec tool $version '' "%install\\nmkdir -p %{buildroot}/etc; echo $version >%{buildroot}/etc/tool.conf\\n%files\\n%config(noreplace) /etc/tool.conf\\n"
done
spec lib 1.0; spec extra 1.0
spec app 1.0 'Requires: lib\\nRecommends: extra\\nProvides: web-server'
spec oldmail 1.0
spec newmail 1.0 'Obsoletes: oldmail < 2'
createrepo_c -q .
printf '[lab]\\nname=lab\\nbaseurl=file:///srv/rpm\\ngpgcheck=0\\nenabled=1\\n' >/etc/yum.repos.d/lab.repo
dnf -q makecache`
