import { join } from 'node:path'
import { expect } from 'chai'
import {
  type AbsolutePath,
  directory,
  download,
  localFile,
  Secret,
  type Step,
  type Steps,
  script,
  sha256,
  unpack,
} from '../../src/index.ts'
import { converge, fakeHost } from '../../src/testing/index.ts'
import { onLab } from './lab-site.ts'
import { ownLab } from './support.ts'

describe('downloads, archives and scripts on a real host', function () {
  this.slow('20s')
  const own = ownLab('test-downloads', ['web1'], () => ({}))
  before(async () => {
    await exec(SERVER)
  })

  const exec = async (command: string) => {
    const { code, stdout, stderr } = await own.lab.exec('web1', command)
    expect(code, stdout + stderr).to.equal(0)
    return stdout.trim()
  }
  const run = async (...steps: readonly Steps[]) => {
    const { steps: results, problems } = await onLab(own.lab, steps)
    expect(problems).to.deep.equal([])
    return results
  }
  /** Applies the steps, and again, which must change nothing. */
  const twice = async (...steps: readonly Steps[]) => {
    const results = await run(...steps)
    expect((await run(...steps)).filter((one) => !one.startsWith('ok '))).to.deep.equal([])
    return results
  }
  const refused = async (...steps: readonly Step[]) => (await onLab(own.lab, steps)).problems.join('\n')
  const url = 'http://127.0.0.1:8099/tool'
  const tool = (content: string, more = {}) => download('/srv/bin/tool', url, { sha256: sha256(content), ...more })
  const requests = async () => Number(await exec('wc -l </srv/requests'))
  const at = '/srv/www/tool'

  it('fetch a file once, and again when its checksum changes', async () => {
    await twice(tool('one', { mode: '0755', owner: 'daemon' }))
    expect(await exec('cat /srv/bin/tool; stat -c " %a %U" /srv/bin/tool')).to.equal('one 755 daemon')
    expect(await requests()).to.equal(1)
    await exec(`printf two >${at}`)
    await twice(tool('two', { mode: '0755' }))
    expect(await exec('cat /srv/bin/tool; stat -c " %a %U" /srv/bin/tool')).to.equal('two 755 root')
    expect(await requests()).to.equal(2)
  })

  it('correct owner and mode without a request, and a changed content with one', async () => {
    await exec('chmod 600 /srv/bin/tool')
    await twice(tool('two', { mode: '0755' }))
    expect(await requests()).to.equal(2)
    await exec('echo more >>/srv/bin/tool')
    await twice(tool('two', { mode: '0755' }))
    expect(await exec('cat /srv/bin/tool')).to.equal('two')
    expect(await requests()).to.equal(3)
  })

  it('leave the file as it is if the server has another content, or none', async () => {
    expect(await refused(tool('three'))).to.include(`its SHA-256 is ${sha256('two')}`)
    expect(await refused(download('/srv/bin/tool', `${url}-gone`, { sha256: sha256('x') }))).to.match(/404/)
    expect(await exec('cat /srv/bin/tool; ls -A /srv/bin')).to.equal('twotool')
  })

  it('fetch a file only if it is missing, on request', async () => {
    await twice(download('/srv/bin/once', url, { onlyIfMissing: true }))
    await exec('echo edited >/srv/bin/once')
    await run(download('/srv/bin/once', url, { onlyIfMissing: true }))
    expect(await exec('cat /srv/bin/once')).to.equal('edited')
  })

  it('send headers that no process list shows, with curl and with wget', async () => {
    const headers = { 'x-token': new Secret(() => 'quiet') }
    await twice(download('/srv/bin/a', `${url}?secret`, { sha256: sha256('two'), headers }))
    await exec(
      'command -v wget >/dev/null || { apt-get -qq update; apt-get -qq install wget; }; mv /usr/bin/curl /usr/bin/curl.away',
    )
    await twice(download('/srv/bin/b', `${url}?secret`, { sha256: sha256('two'), headers }))
    expect(await exec('cat /srv/tokens')).to.equal('quiet\nquiet')
    expect(await exec('cat /srv/shown')).to.not.include('quiet')
  })

  it('come from this machine if the host has neither curl nor wget', async () => {
    await exec('mv /usr/bin/wget /usr/bin/wget.away')
    const error = await refused(tool('two', { mode: '0700' }), download('/srv/bin/c', url, { sha256: sha256('two') }))
    // The server of the host is not reachable from this machine, which tries it.
    expect(error).to.include(`This machine cannot fetch ${url}`)
    await exec('mv /usr/bin/wget.away /usr/bin/wget; mv /usr/bin/curl.away /usr/bin/curl')
  })

  it('have the same plan on a fake host', async () => {
    const step = download('/srv/bin/d', url, { sha256: sha256('two') })
    const planned = (await onLab(own.lab, step, 'plan')).steps
    expect((await converge(step, fakeHost())).plan).to.deep.equal(['create download /srv/bin/d'])
    expect(planned).to.deep.equal(['planned download /srv/bin/d'])
  })

  describe('an archive', () => {
    const file = localFile(import.meta, 'repository/tool.tar.gz')

    it('is unpacked once, without its leading directories', async () => {
      await twice(unpack('/opt/tool', file, { strip: 2, owner: 'daemon' }))
      expect(await exec('cat /opt/tool/ignored; stat -c %U:%a /opt/tool/ignored /opt/tool; ls /opt')).to.equal(
        'inner\ndaemon:644\ndaemon:755\ntool',
      )
    })

    it('replaces the former one as a whole, which is kept', async () => {
      await exec('touch /opt/tool/added')
      await twice(unpack('/opt/tool', file, { strip: 1 }))
      expect(await exec('cat /opt/tool/b/ignored; ls /opt/tool')).to.equal('inner\nb')
      expect(await exec('find /var/lib/provision/removed -name added | wc -l')).to.equal('1')
    })

    it('of the host is verified first; a directory of another origin stays', async () => {
      const archive: AbsolutePath = '/srv/tool.tgz'
      await exec(`mkdir -p /srv/t/top && echo x >/srv/t/top/x && tar -C /srv/t -czf ${archive} top`)
      const sum = (await exec(`sha256sum ${archive}`)).slice(0, 64)
      await twice(unpack('/opt/gz', archive, { sha256: sum, strip: 1 }))
      expect(await exec('cat /opt/gz/x')).to.equal('x')
      expect(await refused(unpack('/opt/bad', archive, { sha256: 'ab'.repeat(32) }))).to.include('has another content')
      expect(await exec('ls /opt')).to.equal('gz\ntool')
      await run(directory('/opt/mine'))
      expect(await refused(unpack('/opt/mine', archive, { sha256: sum }))).to.include(
        'was not unpacked from an archive',
      )
    })

    it('in the format of zip is unpacked too', async () => {
      const step = unpack('/opt/zip', localFile(import.meta, 'repository/tool.zip'), { strip: 1 })
      expect(await refused(step)).to.include('the host has no unzip')
      await exec('apt-get -qq update && apt-get -qq install unzip')
      await twice(step)
      expect(await exec('cat /opt/zip/x')).to.equal('x')
    })
  })

  it('run a script of this machine, once', async () => {
    const made = localFile(import.meta, join('repository', 'make.sh'))
    await twice(script('make', made, { args: ['/srv/made by it'], creates: '/srv/made by it' }))
    expect(await exec('ls "/srv/made by it" /tmp/tmp.* 2>/dev/null; :')).to.equal('/srv/made by it')
  })
})

/** A server on the host that records requests, and process lists at the time of a request with a token. Hosts have a small perl only. */
const SERVER = `mkdir -p /srv/www && printf one >/srv/www/tool && : >/srv/requests && : >/srv/tokens && : >/srv/shown
cat >/srv/server.pl <<'END'
use IO::Socket::INET;
sub note { open(my $to, '>>', $_[0]); print $to $_[1] }
my $server = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', LocalPort => 8099, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
  my ($path, $token) = ('', 'none');
  while (my $line = <$client>) {
    $path = $1 if $line =~ m{^GET (\\S+)};
    $token = $1 if $line =~ m{^x-token: (\\S+)}i;
    last if $line =~ /^\\r?$/;
  }
  note('/srv/requests', "$path\\n");
  if ($path =~ s/\\?secret//) { note('/srv/tokens', "$token\\n"); note('/srv/shown', scalar \`cat /proc/[0-9]*/cmdline\`) }
  my $found = open(my $file, '<', "/srv/www$path");
  my $text = $found ? join('', <$file>) : '';
  print $client 'HTTP/1.0 ', ($found ? '200 OK' : '404 Not Found'), "\\r\\nContent-Length: ", length $text, "\\r\\n\\r\\n$text";
  close $client;
}
END
systemd-run -q --unit=downloads-server perl /srv/server.pl
until curl -s http://127.0.0.1:8099/ -o /dev/null; do sleep 0.1; done
: >/srv/requests`
