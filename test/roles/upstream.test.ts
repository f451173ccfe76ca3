import { expect } from 'chai'
import { type UpstreamParams, upstream } from '../../roles/upstream/index.ts'
import { stepsOf, textAt } from './expanded.ts'

const params: UpstreamParams = {
  name: 'app',
  servers: [
    { name: 'app1', address: '10.0.2.1', port: 3000 },
    { name: 'app2', address: '10.0.2.2', port: 3000 },
  ],
  path: '/livez',
}
const configuration = (more: Partial<UpstreamParams> = {}) =>
  textAt(stepsOf(upstream({ ...params, ...more })), '/etc/haproxy/haproxy.cfg')

describe('role upstream', () => {
  it('checks each server on its own, and listens only for its own host', () => {
    const text = configuration()
    expect(text).to.include('server app1 10.0.2.1:3000\n  server app2 10.0.2.2:3000\n')
    expect(text).to.include('http-check send meth GET uri /livez')
    const listening = text.match(/^ *bind .*/gm)
    expect(listening).to.deep.equal(['  bind 127.0.0.1:8406', '  bind 127.0.0.1:8405'])
  })

  it('keeps WebSockets and streams open for an hour without data', () => {
    const text = configuration({ websockets: true, streams: ['/live', '/feed'] })
    expect(text).to.include('timeout tunnel 1h\n')
    expect(text).to.include('http-request set-timeout server 1h if { path_beg /live /feed }\n')
    expect(configuration()).not.to.match(/tunnel|set-timeout/)
  })

  it('retries no request that may have been executed', () => {
    expect(configuration()).to.include('disable-l7-retry unless { method GET HEAD OPTIONS }')
  })

  it('still tries the servers if its checks find none of them healthy', () => {
    const [, unchecked = ''] = configuration().split('backend app-unchecked\n')
    expect(configuration()).to.include('use_backend app-unchecked if { nbsrv(app) eq 0 }')
    expect(unchecked).to.match(/server app1 10\.0\.2\.1:3000\n {2}server app2 10\.0\.2\.2:3000\n/)
  })

  it('has a new revision if any part of it changes', () => {
    const revision = (more?: Partial<UpstreamParams>) => /string (\w{16}) if/.exec(configuration(more))?.[1]
    expect(revision())
      .to.match(/^\w{16}$/)
      .and.equal(revision())
    expect(revision({ answerWithin: 20 })).to.not.equal(revision())
  })

  it('rejects an empty list of servers, a duplicate, and an invalid path', () => {
    expect(() => configuration({ servers: [] })).to.throw('app has no servers.')
    const [one] = params.servers
    expect(() => configuration({ servers: one ? [one, one] : [] })).to.throw('two servers with the name app1')
    expect(() => configuration({ path: 'livez' })).to.throw('"livez" is not a path')
  })
})
