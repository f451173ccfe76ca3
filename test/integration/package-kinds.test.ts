// cspell:ignore madison newt
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { absent, aptSource, file, localFile, pkg, Secret, type Step, type Steps } from '../../src/index.ts'
import type { RunEvent } from '../../src/model/event.ts'
import { onLab } from './lab-site.ts'
import { ownLab } from './support.ts'

describe('packages in a version, on hold, absent', function () {
  this.slow('20s')
  const own = ownLab('test-package-kinds', ['web1'], () => ({}))
  before(async () => {
    await exec(REPOSITORY)
  })

  const exec = async (script: string) => {
    const { code, stdout, stderr } = await own.lab.exec('web1', script)
    expect(code, stdout + stderr).to.equal(0)
    return stdout.trim()
  }
  /** Plans the steps, applies them, and returns the plan. */
  const run = async (...steps: readonly Steps[]) => {
    const plan = await onLab(own.lab, steps, 'plan')
    const { problems } = await onLab(own.lab, steps)
    expect(problems).to.deep.equal([])
    return plan.steps.filter((step) => !step.startsWith('ok '))
  }
  /** Applies the steps, and again, which must change nothing. */
  const twice = async (...steps: readonly Steps[]) => {
    const plan = await run(...steps)
    expect(await run(...steps)).to.deep.equal([])
    return plan
  }
  const refused = async (...steps: readonly Step[]) => (await onLab(own.lab, steps)).problems.join('\n')
  const installed = (...names: readonly string[]) =>
    exec(
      `dpkg-query -W -f '\${Package} \${db:Status-Abbrev} \${Version}\n' ${names.join(' ')} 2>/dev/null | grep -v ' un'; :`,
    )

  it('install the newest version that fits a pattern, and keep it', async () => {
    expect(await twice(pkg('tool', { version: '1.*' }))).to.deep.equal(['planned package tool'])
    expect(await installed('tool')).to.equal('tool ii  1.2')
    expect(await run(pkg('tool'))).to.deep.equal([])
  })

  it('refuse an older version unless a downgrade is allowed', async () => {
    expect(await refused(pkg('tool', { version: '1.1' }))).to.include(
      'tool 1.1 is older than the installed version 1.2',
    )
    await twice(pkg('tool', { version: '1.1', downgrade: true }))
    expect(await installed('tool')).to.equal('tool ii  1.1')
  })

  it('refuse a version that no source has, and name those that there are', async () => {
    expect(await refused(pkg('tool', { version: '7.*' })))
      .to.include('the package sources of the host have no tool 7.*')
      .and.include('2.0 from .')
  })

  it('keep a package on hold, also from an upgrade, and release it', async () => {
    await twice(pkg('tool', { hold: true }))
    expect(await exec('apt-mark showhold')).to.equal('tool')
    expect(await refused(pkg('tool', { version: '2.*' }))).to.include('tool: on hold')
    await twice(pkg('tool', { version: '2.*', hold: true }))
    expect(await installed('tool')).to.equal('tool hi  2.0')
    expect(await exec('apt-mark showhold')).to.equal('tool')
    await twice(pkg('tool', { hold: false }))
    expect(await exec('apt-mark showhold')).to.equal('')
  })

  it('upgrade to the newest version of the sources', async () => {
    await twice(pkg('tool', { version: '1.2', downgrade: true }))
    expect(await twice(pkg.latest('tool'))).to.deep.equal(['planned package tool'])
    expect(await installed('tool')).to.equal('tool ii  2.0')
  })

  it('give the answers to debconf, which no process list shows, and install with them', async () => {
    const secret = new Secret(() => 'quiet please')
    await twice(pkg('asks', { debconf: { 'asks/name': 'web 1', 'asks/on': true, 'asks/password': secret } }))
    expect(await exec('cat /run/asked')).to.equal('web 1, true, quiet please')
    expect(await exec('cat /run/shown')).to.not.include('quiet')
  })

  it('install those that they recommend, on request', async () => {
    await twice(pkg('recommends'))
    expect(await installed('recommends', 'recommended')).to.equal('recommends ii  1.0')
    await exec('dpkg --purge recommends')
    await twice(pkg('recommends', { recommends: true }))
    expect(await installed('recommends', 'recommended')).to.equal('recommended ii  1.0\nrecommends ii  1.0')
  })

  it('show in the plan which packages apt removes for another, and remove no others', async () => {
    await run(pkg('old-mail'))
    const { events } = await onLab(own.lab, [pkg('new-mail')], 'plan')
    expect(fieldsIn(events)).to.deep.equal(['new-mail installed', 'old-mail installed → removed'])
    await run(pkg('new-mail'))
    expect(await installed('old-mail', 'new-mail')).to.equal('new-mail ii  1.0')
    expect(await run(pkg('new-mail'))).to.deep.equal([])
  })

  it('are not removed together with others, unless the step names those too', async () => {
    await run(pkg('new-mail', 'reader'))
    expect(await refused(pkg.absent('new-mail')))
      .to.include('the removal of new-mail changes other packages, too')
      .and.include('reader: would be removed')
    expect(await installed('new-mail')).to.equal('new-mail ii  1.0')
    expect(await twice(pkg.absent('new-mail', 'reader'))).to.deep.equal(['planned absent package new-mail, reader'])
    expect(await installed('new-mail', 'reader')).to.equal('reader rc  1.0')
  })

  it('leave their configuration files, until they are purged', async () => {
    expect(await exec('cat /etc/reader.conf')).to.equal('setting')
    expect(await twice(pkg.absent('reader'))).to.deep.equal([])
    expect(await twice(pkg.absent('reader', { purge: true }))).to.deep.equal(['planned absent package reader'])
    expect(await exec('ls /etc/reader.conf 2>/dev/null; :')).to.equal('')
    expect(await twice(pkg.absent('reader', 'never-heard-of', { purge: true }))).to.deep.equal([])
  })

  it('are not removed if Debian needs them or they are on hold', async () => {
    expect(await refused(pkg.absent('dpkg'))).to.include('dpkg: Debian does not work without it')
    await run(pkg('tool', { hold: true }))
    expect(await refused(pkg.absent('tool'))).to.include('tool: on hold, so apt does not remove it')
  })

  it('are installed from a file of the host, and again in another version', async () => {
    expect(await refused(pkg.file('/srv/nothing.deb'))).to.include('there is no file /srv/nothing.deb')
    expect(await refused(pkg.file('/srv/repo/Packages'))).to.include('/srv/repo/Packages is not a package of Debian')
    await twice(pkg.file('/srv/repo/local_1.0.deb'))
    expect(await installed('local')).to.equal('local ii  1.0')
    await twice(pkg.file('/srv/repo/local_2.0.deb'))
    expect(await refused(pkg.file('/srv/repo/local_1.0.deb'))).to.include(
      'local 1.0 is older than the installed version 2.0',
    )
  })

  describe('of a new source', () => {
    const SOURCES = '/etc/apt/sources.list.d/test.sources'
    const source = (key: string) =>
      aptSource('test', { uri: 'file:/srv/signed', suites: './', key: localFile(import.meta, `repository/${key}.asc`) })
    before(async () => {
      await exec(`mkdir -p /srv/signed && cd /srv/signed\n${SIGNED}`)
    })

    it('are not seen if its signature is of another key; nothing is in place then', async () => {
      expect(await refused(source('other-key'))).to.include('NO_PUBKEY')
      expect(await exec(`ls ${SOURCES} /etc/apt/keyrings/test.asc /run/provision-apt* 2>/dev/null; :`)).to.equal('')
    })

    it('are installed in the same run; only the lists of this source are fetched', async () => {
      const others = `find /var/lib/apt/lists -maxdepth 1 -type f ! -name '*signed*' ! -name lock -printf '%p %C@\\n' | sort`
      const before = await exec(others)
      const steps = [source('key'), pkg('source-app')]
      const plan = await onLab(own.lab, steps, 'plan')
      expect(plan.problems).to.deep.equal([])
      await twice(...steps)
      expect(await installed('source-app')).to.equal('source-app ii  1.0')
      expect(await exec(others)).to.equal(before)
      expect(await exec(`stat -c '%a %U' /etc/apt/keyrings/test.asc ${SOURCES}`)).to.equal('644 root\n644 root')
    })

    it('are the same after a change by hand, which is undone', async () => {
      await exec(`echo 'Enabled: no' >>${SOURCES}; apt-get -qq update`)
      expect(await twice(source('key'))).to.deep.equal(['planned apt source test'])
      expect(await exec('apt-cache madison source-app | grep -c signed')).to.equal('1')
    })

    it('are seen if a file below /etc/apt is newer than the lists', async () => {
      await exec('apt-get -qq purge source-app')
      await run(absent(SOURCES))
      expect(await refused(pkg('source-app'))).to.include('no package source-app')
      const list = file('/etc/apt/sources.list.d/by-file.list', 'deb [trusted=yes] file:/srv/signed ./\n')
      await twice(list, pkg('source-app'))
      expect(await installed('source-app')).to.equal('source-app ii  1.0')
    })

    it('are not added twice, since apt then reads no source at all', async () => {
      expect(await refused(source('key'))).to.include('/etc/apt/sources.list.d/by-file.list has the same source')
      await twice(absent('/etc/apt/sources.list.d/by-file.list'), source('key'))
    })
  })
})

/** The fields of the planned steps: `nginx 1.22 → 1.24`. */
function fieldsIn(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) =>
    event.kind === 'step' && event.outcome === 'planned'
      ? event.difference.fields.map(({ name, from, to }) => `${name} ${from === undefined ? '' : `${from} → `}${to}`)
      : [],
  )
}

/** Writes a signed repository, of which the tests have the public key. */
const SIGNED = ['InRelease', 'Packages', 'source-app_1.0.deb']
  .map((name) => `echo ${readFileSync(join(import.meta.dirname, 'repository', name), 'base64')} | base64 -d >${name}`)
  .join('\n')

/** A repository on the host, with packages in several versions. */
const REPOSITORY = `set -e
mkdir -p /srv/repo && cd /srv/repo
deb() {
  rm -rf /tmp/deb; mkdir -p /tmp/deb/DEBIAN
  printf 'Package: %s\\nVersion: %s\\nArchitecture: all\\nMaintainer: Test <test@example.net>\\nDescription: test\\n%s' "$1" "$2" "$3" >/tmp/deb/DEBIAN/control
}
made() {
  file=$(dpkg-deb -f /tmp/made.deb Package 2>/dev/null || :)
  dpkg-deb -b /tmp/deb /tmp/made.deb >/dev/null
  file="./$(dpkg-deb -f /tmp/made.deb Package)_$(dpkg-deb -f /tmp/made.deb Version).deb"
  mv /tmp/made.deb "$file"
  dpkg-deb -f "$file" >>Packages
  printf 'Filename: %s\\nSize: %s\\nSHA256: %s\\n\\n' "$file" "$(stat -c %s "$file")" "$(sha256sum <"$file" | cut -d' ' -f1)" >>Packages
}
: >Packages
for version in 1.1 1.2 2.0; do deb tool $version; made; done
for version in 1.0 2.0; do deb local $version; made; done
deb old-mail 1.0 'Provides: mail
'; made
deb new-mail 1.0 'Provides: mail
Conflicts: old-mail
'; made
deb reader 1.0 'Depends: new-mail
'; mkdir /tmp/deb/etc; echo setting >/tmp/deb/etc/reader.conf; echo /etc/reader.conf >/tmp/deb/DEBIAN/conffiles; made
deb recommended 1.0; made
deb recommends 1.0 'Recommends: recommended
'; made
deb asks 1.0 'Depends: debconf
'
printf 'Template: asks/name\\nType: string\\nDescription: name\\n\\nTemplate: asks/on\\nType: boolean\\nDefault: false\\nDescription: on\\n\\nTemplate: asks/password\\nType: password\\nDescription: password\\n' >/tmp/deb/DEBIAN/templates
cat >/tmp/deb/DEBIAN/postinst <<'END'
#!/bin/sh
set -e
. /usr/share/debconf/confmodule
cat /proc/[0-9]*/cmdline >/run/shown 2>/dev/null || :
db_get asks/name; name=$RET
db_get asks/on; on=$RET
db_get asks/password
echo "$name, $on, $RET" >/run/asked
END
chmod 755 /tmp/deb/DEBIAN/postinst; made
echo 'deb [trusted=yes] file:/srv/repo ./' >/etc/apt/sources.list.d/kinds.list
apt-get -qq update`
