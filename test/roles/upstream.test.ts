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
  it('asks each server for itself, and is there for its own host alone', () => {
    const text = configuration()
    expect(text).to.include('server app1 10.0.2.1:3000\n  server app2 10.0.2.2:3000\n')
    expect(text).to.include('http-check send meth GET uri /livez')
    const listening = text.match(/^ *bind .*/gm)
    expect(listening).to.deep.equal(['  bind 127.0.0.1:8406', '  bind 127.0.0.1:8405'])
  })

  it('sends nothing twice that may have been carried out', () => {
    expect(configuration()).to.include('disable-l7-retry unless { method GET HEAD OPTIONS }')
  })

  it('tries them all the same when its checks find none of them well', () => {
    const [, unchecked = ''] = configuration().split('backend app-unchecked\n')
    expect(configuration()).to.include('use_backend app-unchecked if { nbsrv(app) eq 0 }')
    expect(unchecked).to.match(/server app1 10\.0\.2\.1:3000\n {2}server app2 10\.0\.2\.2:3000\n/)
  })

  it('tells another revision when anything of it is another', () => {
    const revision = (more?: Partial<UpstreamParams>) => /string (\w{16}) if/.exec(configuration(more))?.[1]
    expect(revision())
      .to.match(/^\w{16}$/)
      .and.equal(revision())
    expect(revision({ answerWithin: 20 })).to.not.equal(revision())
  })

  it('refuses to be without servers, with one twice, and with an invalid path', () => {
    expect(() => configuration({ servers: [] })).to.throw('app has no servers.')
    const [one] = params.servers
    expect(() => configuration({ servers: one ? [one, one] : [] })).to.throw('two servers with the name app1')
    expect(() => configuration({ path: 'livez' })).to.throw('"livez" is not a path')
  })
})
