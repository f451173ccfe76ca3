import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { mail, subjectOf } from '../../src/hooks/mail.ts'
import { Secret } from '../../src/shell/secret.ts'
import { temporary } from '../support/rig.ts'
import { REPORT } from './report.ts'

describe('a mail', () => {
  const directory = temporary()
  after(() => rmSync(directory, { recursive: true }))
  const sent = join(directory, 'sent')
  /** A program in place of sendmail. */
  const program = (name: string, body: string) => {
    const path = join(directory, name)
    writeFileSync(path, `#!/bin/sh\n${body}\n`)
    chmodSync(path, 0o755)
    return path
  }
  const sendmail = program('sendmail', `{ echo "$@"; cat; } >${sent}`)
  const never = new AbortController().signal
  const options = { to: ['ops@example.com', 'dev@example.com'], from: 'provision@example.com', sendmail }
  const delivered = () => {
    const [words = '', ...lines] = readFileSync(sent, 'utf8').split('\n')
    const cut = lines.indexOf('')
    const body = Buffer.from(lines.slice(cut).join(''), 'base64').toString()
    return { words, headers: lines.slice(0, cut), body }
  }

  it('is given to sendmail, with recipients in its headers only', async () => {
    await mail(options).call(REPORT, never)
    const { words, headers, body } = delivered()
    expect(words).to.equal('-t -i')
    expect(headers).to.include.members([
      'From: provision@example.com',
      'To: ops@example.com, dev@example.com',
      'Subject: provision: 1 host failed or not reachable',
      'Auto-Submitted: auto-generated',
    ])
    expect(body)
      .to.include('web1: file /etc/motd: change mode\n')
      .and.to.include('Run: provision --inventory prod.ts\n')
    expect(body).to.include('  web2: failed, 0 changed\n')
  })

  it('has a subject and a text of its own, with secrets masked and letters encoded', async () => {
    const secret = new Secret(() => 'CanaryOfTheMail')
    const text = `${secret.reveal()} ist geändert: ${'ä'.repeat(60)}`
    await mail({ ...options, subject: () => text, text: () => `a\n.\n${text}` }).call(REPORT, never)
    const { headers, body } = delivered()
    expect(body).to.equal(`a\n.\n${text.replace('CanaryOfTheMail', '***')}`)
    const encoded = headers.join('\n').match(/=\?utf-8\?B\?[^?]+\?=/g) ?? []
    const decoded = encoded.map((word) => Buffer.from(word.slice(10, -2), 'base64').toString()).join('')
    expect(decoded).to.equal(text.replace('CanaryOfTheMail', '***'))
    for (const word of encoded) expect(word.length).to.be.at.most(75)
  })

  it('fails with the reason of the program, and without one', async () => {
    const failure = (sendmail: string) =>
      Promise.resolve(mail({ ...options, sendmail }).call(REPORT, never)).then(
        () => undefined,
        (error: Error) => error.message,
      )
    const refusing = program('refusing', 'echo no route >&2; exit 75')
    expect(await failure(refusing)).to.equal(`${refusing} exited with status 75: no route`)
    expect(await failure('/nonexistent/sendmail')).to.equal(
      'there is no /nonexistent/sendmail: install a mail server, or msmtp-mta',
    )
  })

  it('is given up when its signal is aborted', async () => {
    const slow = program('slow', 'exec sleep 600')
    const control = new AbortController()
    const called = Promise.resolve(mail({ ...options, sendmail: slow }).call(REPORT, control.signal)).then(
      () => 'sent',
      (error: Error) => error.name,
    )
    control.abort()
    expect(await called).to.equal('AbortError')
  })

  it('rejects addresses that would add headers', () => {
    expect(() => mail({ to: 'a@example.com\nBcc: b@example.com' })).to.throw(TypeError, 'is not an address')
    expect(() => mail({ to: [] })).to.throw(TypeError, 'mail: there is no recipient')
  })

  it('has a subject about changes, drift and interruptions', () => {
    const ok = { ...REPORT, hosts: [] }
    expect(subjectOf(ok)).to.equal('provision: 1 host changed')
    expect(subjectOf({ ...ok, event: 'onDrift' })).to.equal('provision: drift on 1 host')
    expect(subjectOf({ ...ok, status: 'interrupted' })).to.equal('provision: a run was interrupted')
  })
})
