import { expect } from 'chai'
import { alertmanagerProblem, targetsProblem } from '../../roles/monitoring/checks.ts'
import {
  type MonitoringParams,
  monitoring,
  nginxExporter,
  nodeExporter,
  postgresExporter,
} from '../../roles/monitoring/index.ts'
import { Unknown } from '../../src/index.ts'
import { Secret } from '../../src/shell/secret.ts'
import { stepsOf, textAt, textsOf } from './expanded.ts'

const RULES = '/etc/prometheus/provision-rules.yml'
const params: MonitoringParams = {
  address: '10.0.5.1',
  targets: [
    { job: 'node', name: 'web1', address: '10.0.1.1', port: 9100, tier: 'web' },
    { job: 'node', name: 'db1', address: 'fd00::1', port: 9100, tier: 'db' },
    { job: 'postgres', name: 'db1', address: 'fd00::1', port: 9187, tier: 'db' },
  ],
  receivers: { webhooks: [new Secret(() => 'https://hooks.test/a-token')] },
  vip: '10.0.0.10/24',
  replicas: 1,
}
const rules = (more: Partial<MonitoringParams> = {}) => textAt(stepsOf(monitoring({ ...params, ...more })), RULES)
const refused = (more: Partial<MonitoringParams>) => expect(() => monitoring({ ...params, ...more })).to

describe('role monitoring', () => {
  it('reads each exporter with the name of its host', () => {
    const text = textAt(stepsOf(monitoring(params)), '/etc/prometheus/prometheus.yml')
    expect(text).to.include('- targets: ["10.0.1.1:9100"]\n        labels: { instance: "web1", tier: "web" }')
    expect(text).to.include('- targets: ["[fd00::1]:9187"]')
    expect(text.match(/job_name: .*/g)).to.deep.equal([
      'job_name: "node"',
      'job_name: "postgres"',
      'job_name: "prometheus"',
      'job_name: "alertmanager"',
    ])
  })

  it('listens only on its own address', () => {
    const steps = stepsOf(monitoring(params))
    expect(textAt(steps, '/etc/default/prometheus')).to.include('--web.listen-address=10.0.5.1:9090 ')
    expect(textAt(steps, '/etc/default/prometheus-alertmanager')).to.include('--web.listen-address=10.0.5.1:9093 ')
  })

  it('never shows the URL of a webhook or the password of the mail server', () => {
    const login = { user: 'monitor', password: new Secret(() => 'a password') }
    const mail = { to: ['a@test', 'b@test'], from: 'c@test', server: 'mail.test:587', login }
    const texts = textsOf(stepsOf(monitoring({ ...params, receivers: { ...params.receivers, mail } })))
    expect([...texts.values()].join('\n')).not.to.match(/a-token|a password/)
    expect(texts.has('/etc/prometheus/alertmanager.yml')).to.equal(true)
    expect(texts.get('/etc/prometheus/alertmanager.yml')).to.equal(undefined)
  })

  it('has rules only for the parts that the site has', () => {
    const names = (more: Partial<MonitoringParams>) =>
      [...rules(more).matchAll(/alert: "(\w+)"/g)].map(([, name]) => name)
    expect(names({})).to.include.members(['VipWithTwoHolders', 'NoPrimary', 'ReplicaLost', 'HostDown'])
    expect(names({})).not.to.include.members(['BackupOld'])
    expect(names({ backups: true })).to.include('BackupOld')
    expect(names({ replicas: 0 })).not.to.include('ReplicaLost')
    expect(names({ targets: [] })).not.to.include('NoPrimary')
    const { vip: _vip, ...withoutVip } = params
    expect(textAt(stepsOf(monitoring(withoutVip)), RULES)).not.to.include('VipWithoutHolder')
  })

  it('shows the virtual IP on its page only if there is one', () => {
    const page = (all: MonitoringParams) => textAt(stepsOf(monitoring(all)), '/etc/prometheus/consoles/site.html')
    const { vip: _vip, ...withoutVip } = params
    expect(page(params)).to.include("{address='10.0.0.10'}")
    expect(page(withoutVip)).not.to.include('{address=')
  })

  it('takes limits, and rules of the user instead of its own', () => {
    expect(rules({ limits: { disk: 70 } }))
      .to.include(') > 70"')
      .and.include('1209600')
    const disk = { alert: 'DiskFull', expr: 'vector(1)', severity: 'warning', summary: 'Full.' } as const
    expect(rules({ rules: [disk] }).match(/DiskFull.*\n.*/g)).to.deep.equal(['DiskFull"\n        expr: "vector(1)"'])
  })

  it('rejects alerts without a receiver, and values that cannot be right', () => {
    const mail = { to: ['a@test'], from: 'c@test', server: 'mail.test:587' }
    refused({ receivers: {} }).throw('The alerts have no receiver.')
    refused({ receivers: { mail: { ...mail, to: [] } } }).throw('The mail with alerts has no recipient.')
    refused({ receivers: { mail: { ...mail, server: 'mail.test' } } }).throw(
      '"mail.test" is not a mail server with its port.',
    )
    refused({ targets: [...params.targets, ...params.targets] }).throw(
      'The node exporter of web1 is in the targets twice.',
    )
    refused({ limits: { disk: -1 } }).throw('-1 is not a limit.')
  })

  it('reports the age of backups only on their host', () => {
    const script = (backups: boolean) =>
      textAt(stepsOf(nodeExporter({ address: '10.0.4.1', backups })), '/usr/local/libexec/provision-host-metrics')
    expect(script(false)).not.to.include('pgbackrest ')
    expect(script(true)).to.include('part backups').and.include('pgbackrest --stanza=')
  })

  it('has exporters that listen only on the own address of the host', () => {
    const options = (steps: ReturnType<typeof nodeExporter>, unit: string) =>
      textAt(stepsOf(steps), `/etc/default/${unit}`)
    const address = '10.0.3.1'
    expect(options(nodeExporter({ address }), 'prometheus-node-exporter')).to.include('-address=10.0.3.1:9100 ')
    expect(options(nginxExporter({ address }), 'prometheus-nginx-exporter')).to.include('-address=10.0.3.1:9113 ')
    expect(options(postgresExporter({ address }), 'prometheus-postgres-exporter'))
      .to.include('-address=10.0.3.1:9187 ')
      .and.include('DATA_SOURCE_NAME="user=prometheus host=/run/postgresql dbname=postgres"')
  })
})

describe('the check of the exporters', () => {
  const found = (...targets: readonly (readonly [job: string, name: string, health: string])[]) =>
    JSON.stringify({
      data: {
        activeTargets: targets.map(([scrapePool, instance, health]) => ({
          ...{ scrapePool, health, lastError: health === 'down' ? 'connection refused' : '' },
          labels: { instance },
        })),
      },
    })
  const wanted = [
    { job: 'node', name: 'web1' },
    { job: 'nginx', name: 'web1' },
  ] as const
  const problem = (said: string) => targetsProblem(said, wanted)

  it('passes if Prometheus reads all of them', () => {
    expect(problem(found(['node', 'web1', 'up'], ['nginx', 'web1', 'up']))).to.equal(undefined)
  })

  it('names those that it does not read, with the reason', () => {
    expect(problem(found(['node', 'web1', 'down']))).to.equal(
      'node of web1: connection refused; nginx of web1 is no target',
    )
  })

  it('is unknown before the first read, and without an answer', () => {
    const unread = problem(found(['node', 'web1', 'up'], ['nginx', 'web1', 'unknown']))
    expect(unread).to.be.instanceOf(Unknown).and.include({ message: 'not read yet: nginx of web1' })
    expect(problem('{"status":"error"}'))
      .to.be.instanceOf(Unknown)
      .and.include({ message: 'Prometheus does not report its targets' })
  })
})

describe('the check of Alertmanager', () => {
  it('fails if Prometheus has none, and is unknown without an answer', () => {
    expect(alertmanagerProblem('{"data":{"activeAlertmanagers":[{"url":"http://10.0.5.1:9093"}]}}')).to.equal(undefined)
    expect(alertmanagerProblem('{"data":{"activeAlertmanagers":[]}}')).to.equal('Prometheus has no Alertmanager')
    expect(alertmanagerProblem('{"status":"error"}'))
      .to.be.instanceOf(Unknown)
      .and.include({ message: 'Prometheus does not report its Alertmanagers' })
  })
})
