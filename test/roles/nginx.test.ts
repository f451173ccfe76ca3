import { expect } from 'chai'
import { type NginxParams, nginx, nginxReadiness } from '../../roles/nginx/index.ts'
import { stepsOf, textAt } from './expanded.ts'

const SITE = '/etc/nginx/conf.d/site.conf'
const params: NginxParams = {
  domain: 'notes.test',
  listen: { address: '10.0.1.1', port: 8080 },
  upstreams: [
    { address: '10.0.2.1', port: 3000 },
    { address: 'fd00::2', port: 3000 },
  ],
  balancers: [{ address: '10.0.0.1' }, { address: '10.0.0.2' }],
  site: { directory: '/build/public', id: 'abc123' },
}

describe('role nginx', () => {
  it('listens only on its own address', () => {
    const site = textAt(stepsOf(nginx(params)), SITE)
    expect(site.match(/^\s*listen .*$/gm)).to.deep.equal(['  listen 10.0.1.1:8080 default_server;'])
  })

  it('writes IPv6 addresses in brackets', () => {
    const steps = stepsOf(nginx({ ...params, listen: { address: 'fd00::1', port: 80 } }))
    expect(textAt(steps, SITE)).to.include('listen [fd00::1]:80 default_server;')
    expect(textAt(steps, '/etc/nginx/conf.d/upstream-app.conf')).to.include('server [fd00::2]:3000 max_fails=1')
    expect(nginxReadiness({ address: 'fd00::1', port: 80 }).label).to.equal('GET http://[fd00::1]:80/healthz')
  })

  it('connects to the servers of the application directly only while the local proxy is down', () => {
    const upstream = textAt(stepsOf(nginx({ ...params, through: 8406 })), '/etc/nginx/conf.d/upstream-app.conf')
    expect(upstream.match(/^ {2}server .*$/gm)).to.deep.equal([
      '  server 127.0.0.1:8406 max_fails=1 fail_timeout=1s;',
      '  server 10.0.2.1:3000 max_fails=1 fail_timeout=1s backup;',
      '  server [fd00::2]:3000 max_fails=1 fail_timeout=1s backup;',
    ])
  })

  it('has a worker for each core by default', () => {
    const main = (workers?: number) =>
      textAt(stepsOf(nginx({ ...params, workers }), { cpus: 6 }), '/etc/nginx/nginx.conf')
    expect(main()).to.include('worker_processes 6;')
    expect(main(2)).to.include('worker_processes 2;')
  })

  it('reports its state on the loopback only, and only if a port for it is given', () => {
    const site = (status?: number) =>
      textAt(stepsOf(nginx({ ...params, ...(status !== undefined && { status }) })), SITE)
    expect(site(8407)).to.include('  listen 127.0.0.1:8407;\n  access_log off;\n  stub_status;')
    expect(site()).not.to.include('stub_status')
  })

  it('forwards the paths of the application, and streams without a buffer', () => {
    const site = textAt(
      stepsOf(nginx({ ...params, paths: ['/api/', '/live'], streams: ['/live', '/feed'], rate: 5 })),
      SITE,
    )
    const blocks = new Map(
      [...site.matchAll(/^ {2}location \^~ (\S+) \{\n([^}]*)/gm)].map(([, path, text]) => [path, text]),
    )
    expect([...blocks.keys()]).to.deep.equal(['/live', '/feed', '/api/'])
    for (const [path, text] of blocks) {
      expect(text).to.include('proxy_pass http://app;').and.include('limit_req zone=clients')
      expect(text?.includes('proxy_buffering off;'), path).to.equal(path !== '/api/')
    }
    expect(site).to.include('"~^/(healthz|api/|live|live|feed)" "";')
  })

  it('forwards all paths, without headers of its own for pages, if there are no static files', () => {
    const { site: _site, ...others } = params
    const text = textAt(stepsOf(nginx({ ...others, ready: '/ready' })), SITE)
    expect(text.match(/^ {2}location .*/gm)).to.deep.equal(['  location = /healthz {', '  location ^~ / {'])
    expect(text)
      .to.include('"~^/" "";')
      .and.not.match(/X-Frame-Options|Content-Security-Policy/)
    expect(textAt(stepsOf(nginx({ ...params, ready: '/ready' })), SITE)).to.include('  location = /ready {')
  })

  it('forwards WebSockets, and limits the size and the time of requests, as given', () => {
    const steps = stepsOf(nginx({ ...params, websockets: true, bodyLimit: '20m' }))
    expect(textAt(steps, SITE))
      .to.include('proxy_set_header Upgrade $http_upgrade;')
      .and.include('proxy_read_timeout 3600s;')
    expect(textAt(steps, '/etc/nginx/nginx.conf')).to.include('client_max_body_size 20m;')
    const slow = textAt(stepsOf(nginx({ ...params, answerWithin: 60 })), SITE)
    expect(slow).to.include('proxy_read_timeout 62s;').and.not.include('Upgrade')
  })

  it('trusts only the balancers for the address of the client', () => {
    const believed = textAt(stepsOf(nginx(params)), SITE).match(/set_real_ip_from .*/g)
    expect(believed).to.deep.equal(['set_real_ip_from 10.0.0.1;', 'set_real_ip_from 10.0.0.2;'])
  })

  it('never retries a POST', () => {
    // The comment contains the word; a directive would end with a semicolon.
    expect(textAt(stepsOf(nginx(params)), SITE)).not.to.match(/proxy_next_upstream[^#\n]*non_idempotent[^\n]*;/)
  })

  it('limits the requests of a client if a rate is given, and only those to the application', () => {
    const site = (rate?: number) => textAt(stepsOf(nginx({ ...params, rate })), SITE)
    expect(site()).not.to.include('limit_req')
    const limited = site(20)
    expect(limited).to.include('rate=20r/s;').and.to.include('burst=200 nodelay;')
    expect(limited.indexOf('limit_req zone')).to.be.greaterThan(limited.indexOf('location ^~ /api/'))
    expect(() => site(0.5)).to.throw('cannot limit requests to 0.5')
  })

  it('rejects an empty list of application servers or balancers', () => {
    expect(() => nginx({ ...params, upstreams: [] })).to.throw('no application servers')
    expect(() => nginx({ ...params, balancers: [] })).to.throw('no balancer')
  })

  it('rotates its logs before the next boot, too', () => {
    expect(stepsOf(nginx(params)).map(({ kind, name }) => `${kind} ${name}`)).to.include('service logrotate.timer')
  })

  it('has all headers in one place, so that no location overrides them', () => {
    const site = textAt(stepsOf(nginx(params)), SITE)
    expect(site.lastIndexOf('add_header')).to.be.lessThan(site.indexOf('\n  location '))
  })

  it('closes idle connections to the service before the service does', () => {
    const upstream = textAt(stepsOf(nginx(params)), '/etc/nginx/conf.d/upstream-app.conf')
    expect(Number(/keepalive_timeout (\d+)s;/.exec(upstream)?.[1])).to.be.lessThan(65)
  })

  it('has a new revision if any of its files changes', () => {
    const revision = (more: Partial<NginxParams>) =>
      /return 200 "ok (\w+)/.exec(textAt(stepsOf(nginx({ ...params, ...more })), SITE))?.[1]
    const all = [{}, { workers: 9 }, { upstreams: params.upstreams.slice(1) }, { domain: 'other.test' }].map(revision)
    expect(new Set(all)).to.have.lengthOf(4)
    expect(revision({})).to.equal(all[0])
  })

  it('reloads for a new configuration of nginx, but not for a new site', () => {
    const settled = (steps: ReturnType<typeof stepsOf>) =>
      Object.fromEntries(steps.map(({ kind, name, satisfies }) => [`${kind} ${name}`, satisfies.map((h) => h.name)]))
    expect(settled(stepsOf(nginx(params)))).to.deep.include({
      'transaction nginx configuration': ['reload nginx'],
      'transaction site': [],
      'service nginx': [],
    })
  })
})
