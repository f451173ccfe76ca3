import { expect } from 'chai'
import { webhook } from '../../src/hooks/webhook.ts'
import { Secret } from '../../src/shell/secret.ts'
import { REPORT, Server } from './report.ts'

describe('a webhook', () => {
  const servers: Server[] = []
  after(() => {
    for (const one of servers) one.stop()
  })
  const server = async (...args: ConstructorParameters<typeof Server>) => {
    const one = new Server(...args)
    servers.push(one)
    return { one, url: await one.start() }
  }
  const never = new AbortController().signal
  const failure = (promise: Promise<void> | void) =>
    Promise.resolve(promise).then(
      () => undefined,
      (error: Error) => error.message,
    )

  it('posts the report as JSON, with its headers and without the events', async () => {
    const { one, url } = await server()
    const token = new Secret(() => 'Bearer CanaryOfTheToken')
    await webhook(`${url}/hook?a=b`, { headers: { authorization: token } }).call(REPORT, never)
    const [request] = one.requests
    expect(request?.path).to.equal('/hook?a=b')
    expect(request?.headers).to.deep.include({ 'content-type': 'application/json', authorization: token.reveal() })
    const { events: _events, ...rest } = REPORT
    expect(JSON.parse(request?.text ?? '')).to.deep.equal(rest)
  })

  it('has a body of its own, with secrets masked', async () => {
    const { one, url } = await server()
    const secret = new Secret(() => 'CanaryOfTheBody')
    const text = `the password is ${secret.reveal()}`
    await webhook(url, { body: ({ changes }) => ({ text, count: changes.length }) }).call(REPORT, never)
    expect(one.requests[0]?.text).to.equal('{"text":"the password is ***","count":1}')
  })

  it('takes a URL that is secret, and does not name it', async () => {
    const { one, url } = await server()
    const hook = webhook(new Secret(() => `${url}/CanaryOfTheUrl`))
    await hook.call(REPORT, never)
    expect(one.requests.map(({ path }) => path)).to.deep.equal(['/CanaryOfTheUrl'])
    expect(hook.name).to.equal('webhook')
    expect(webhook('https://hooks.example.com/token').name).to.equal('webhook https://hooks.example.com')
  })

  it('fails for another status, and does not follow redirects', async () => {
    const busy = await server((response) => void response.writeHead(503).end('try later'))
    expect(await failure(webhook(busy.url).call(REPORT, never))).to.equal('the server answered 503: try later')
    const target = await server()
    const moved = await server((response) => void response.writeHead(302, { location: target.url }).end())
    expect(await failure(webhook(moved.url).call(REPORT, never))).to.equal('the server answered 302')
    expect(target.one.requests).to.deep.equal([])
  })

  it('is given up when its signal is aborted', async () => {
    const control = new AbortController()
    const silent = await server(() => control.abort())
    expect(await failure(webhook(silent.url).call(REPORT, control.signal))).to.equal('This operation was aborted')
  })

  it('rejects a text that is no HTTP URL', () => {
    expect(() => webhook('hooks.example.com')).to.throw(TypeError, 'webhook: "hooks.example.com" is not a URL')
    expect(() => webhook('ftp://example.com/a')).to.throw(TypeError, 'webhook: ftp://example.com is not an HTTP URL')
  })
})
