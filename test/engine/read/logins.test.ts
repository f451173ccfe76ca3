import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { loginsSince, parseLogins } from '../../../src/engine/read/logins.ts'
import { temporary } from '../../support/rig.ts'

describe('the logins of a host', () => {
  const journal = (...entries: readonly string[]) =>
    ['now:1764518600', 'journal:1764000000.5', ...entries.map((one) => `entry:${one}`)].join('\n')

  it('are read from the journal of sshd, with address and key', () => {
    const found = parseLogins(
      journal(
        '1764518553.123456 web1 sshd[812]: Accepted publickey for ana from 10.0.0.9 port 5022 ssh2: ED25519 SHA256:abc',
        '1764518560.000000 web1 sshd-session[900]: Accepted password for bob from fe80::1 port 4 ssh2',
      ),
    )
    expect(found).to.deep.equal({
      now: 1764518600000,
      completeFrom: 1764000000500,
      source: 'journal',
      logins: [
        { time: 1764518553123, user: 'ana', from: '10.0.0.9', method: 'publickey ED25519 SHA256:abc' },
        { time: 1764518560000, user: 'bob', from: 'fe80::1', method: 'password' },
      ],
    })
  })

  it('are read from logind for the console, and once for SSH', () => {
    const { logins } = parseLogins(
      journal(
        '1764518553.0 web1 sshd[812]: Accepted publickey for ana from 10.0.0.9 port 5022 ssh2: RSA SHA256:abc',
        '1764518554.0 web1 systemd-logind[44]: New session 12 of user ana.',
        "1764518590.0 web1 systemd-logind[44]: New session '13' of user 'root' with class 'user' and type 'tty'.",
      ),
    )
    expect(logins.map(({ user, from }) => [user, from])).to.deep.equal([
      ['ana', '10.0.0.9'],
      ['root', undefined],
    ])
  })

  it('are read from wtmp without a journal', () => {
    const found = parseLogins(
      [
        'now:1764518600',
        'last:ana      pts/0        10.0.0.9         2025-11-30T16:02:33+00:00 - 2025-11-30T16:05:00+00:00  (00:02)',
        'last:root     tty1                          2025-11-30T15:00:00+00:00   still logged in',
        'last:reboot   system boot  6.12.0           2025-11-30T14:00:00+00:00   still running',
        'last:',
        'last:wtmp begins 2025-11-01T00:00:00+00:00',
      ].join('\n'),
    )
    expect(found.source).to.equal('wtmp')
    expect(found.completeFrom).to.equal(Date.parse('2025-11-01T00:00:00Z'))
    expect(found.logins.map(({ user, from }) => [user, from])).to.deep.equal([
      ['root', undefined],
      ['ana', '10.0.0.9'],
    ])
  })

  it('are unknown without either, and not complete after too many records', () => {
    expect(parseLogins('now:1764518600\njournal:\n')).to.deep.include({
      logins: [],
      source: undefined,
      completeFrom: undefined,
    })
    const many = Array.from(
      { length: 2_000 },
      (_, n) => `${1764100000 + n}.0 web1 sshd[1]: Accepted password for bob from 10.0.0.1 port 4 ssh2`,
    )
    expect(parseLogins(journal(...many)).completeFrom).to.equal(1764100000000)
    expect(() => parseLogins('')).to.throw(TypeError)
  })

  it('are those of wtmp if the journal begins later', () => {
    const lines = (since: number) =>
      [
        `since:${since}`,
        'journal:1764518000.0',
        'last:ana      pts/0        10.0.0.9         2025-11-30T16:02:33+00:00 - 2025-11-30T16:05:00+00:00  (00:02)',
        'last:wtmp begins 2025-11-01T00:00:00+00:00',
        'now:1764518600.25',
      ].join('\n')
    expect(parseLogins(lines(1764517000))).to.deep.include({ source: 'wtmp', now: 1764518600250 })
    expect(parseLogins(lines(1764518100)).source).to.equal('journal')
  })

  it('are found by the script among many failed logins', () => {
    const directory = temporary()
    const program = (name: string, body: string) =>
      writeFileSync(join(directory, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
    program(
      'journalctl',
      `case "$*" in
*--since*)
  echo '1764518553.0 web1 sshd[8]: Accepted publickey for ana from 10.0.0.9 port 5 ssh2: ED25519 SHA256:abc'
  i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo "1764518554.0 web1 sshd[9]: Failed password for root from 10.0.0.1 port 4 ssh2"; done ;;
*) echo '1764000000.0 web1 kernel: hello'; echo '1764000001.0 web1 kernel: more' ;;
esac`,
    )
    program('last', 'exit 1')
    const [part] = loginsSince(100).read.parts
    const script = part?.family.script([undefined]).text ?? ''
    const stdout = execFileSync('sh', ['-c', script], {
      env: { PATH: `${directory}:/usr/bin:/bin` },
      encoding: 'utf8',
    })
    rmSync(directory, { recursive: true })
    const { logins, completeFrom, source } = parseLogins(stdout)
    expect(logins.map(({ user }) => user)).to.deep.equal(['ana'])
    expect([completeFrom, source]).to.deep.equal([1764000000000, 'journal'])
  })
})
