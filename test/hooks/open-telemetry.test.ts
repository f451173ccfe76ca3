import { expect } from 'chai'
import { openTelemetry, traceOf } from '../../src/hooks/open-telemetry.ts'
import { REPORT, Server } from './report.ts'

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { key: string; value: { stringValue?: string; intValue?: string } }[]
  readonly events?: readonly { name: string }[]
  readonly status?: { readonly code: number; readonly message: string }
}

describe('the trace of a run', () => {
  const server = new Server()
  after(() => server.stop())

  it('is sent to /v1/traces of a collector as OTLP in JSON', async () => {
    const url = await server.start()
    const hook = openTelemetry(`${url}/`, { headers: { 'x-key': 'k' } })
    expect(hook.name).to.equal(`openTelemetry ${url}`)
    await hook.call(REPORT, new AbortController().signal)
    const [request] = server.requests
    expect([request?.path, request?.headers['x-key']]).to.deep.equal(['/v1/traces', 'k'])
    const { resourceSpans } = JSON.parse(request?.text ?? '')
    expect(resourceSpans[0].resource.attributes).to.deep.equal([
      { key: 'service.name', value: { stringValue: 'provision' } },
    ])
    expect(resourceSpans[0].scopeSpans[0].spans).to.have.length(7)
  })

  const spans = (report = REPORT): readonly Span[] =>
    JSON.parse(JSON.stringify(traceOf(report, 'provision'))).resourceSpans[0].scopeSpans[0].spans

  it('has a span for the run, the hosts and their activities, as a tree', () => {
    const all = spans()
    const names = new Map(all.map(({ spanId, name }) => [spanId, name]))
    expect(all.map(({ name, parentSpanId }) => [name, names.get(parentSpanId ?? '')])).to.deep.equal([
      ['provision apply', undefined],
      ['web1', 'provision apply'],
      ['login', 'web1'],
      ['read', 'web1'],
      ['file /etc/motd', 'web1'],
      ['reload nginx', 'web1'],
      ['web2', 'provision apply'],
    ])
    expect(new Set(all.map(({ traceId }) => traceId)).size).to.equal(1)
    for (const { traceId, spanId } of all) {
      expect(traceId).to.match(/^[0-9a-f]{32}$/)
      expect(spanId).to.match(/^[0-9a-f]{16}$/)
    }
  })

  it('has the times of the events in nanoseconds', () => {
    const step = spans().find(({ name }) => name === 'file /etc/motd')
    const began = BigInt(Date.parse(REPORT.began)) * 1_000_000n
    expect(BigInt(step?.startTimeUnixNano ?? 0) - began).to.equal(300_000_000n)
    expect(BigInt(step?.endTimeUnixNano ?? 0) - began).to.equal(700_000_000n)
    const [run] = spans()
    expect(BigInt(run?.endTimeUnixNano ?? 0) - BigInt(run?.startTimeUnixNano ?? 0)).to.equal(5_000_000_000n)
  })

  it('marks failures, and has the role and the play of a step', () => {
    const all = spans()
    const failed = all.filter(({ status }) => status?.code === 2).map(({ name }) => name)
    expect(failed).to.deep.equal(['provision apply', 'web2'])
    const attributes = all.find(({ name }) => name === 'file /etc/motd')?.attributes
    expect(attributes).to.deep.include({ key: 'provision.role', value: { stringValue: 'base' } })
    expect(attributes).to.deep.include({ key: 'provision.play', value: { stringValue: 'web' } })
  })

  it('has the changes of a dry run as events of the host', () => {
    const events = REPORT.events.map(({ at, event }) =>
      event.kind === 'step' && event.outcome === 'changed'
        ? { at, event: { ...event, outcome: 'planned' as const, known: true } }
        : { at, event },
    )
    const all = spans({ ...REPORT, mode: 'plan', status: 'changes', events })
    expect(all.find(({ name }) => name === 'web1')?.events?.map(({ name }) => name)).to.deep.equal([
      'would change file /etc/motd',
    ])
    expect(all[0]?.status).to.equal(undefined)
  })
})
