import { rmSync } from 'node:fs'
import { type Figures, nothingFailed, pause, type Row, underLoad } from './row.ts'
import type { Site } from './site.ts'

const RELEASE = 'examples/notes-api/dist/app/server.mjs'
const SITE_CONF = 'roles/nginx/templates/site.conf.ejs'
const INVENTORY = 'inventory/lab.ts'

export const operationRows: readonly Row[] = [
  {
    name: 'certificate',
    event: 'certificate renewal',
    limit: '0 failed of ≥ 5,000',
    holds: (figures) => nothingFailed(figures) && (figures.asked ?? 0) >= 5_000 && (figures.besides?.good ?? false),
    needs: 'update',
    run: (site) => renewed(site),
    control: {
      what: 'restarts instead of a reload',
      run: (site) => underLoad(site, { act: () => onAll(site, ['lb1', 'lb2'], 'systemctl restart haproxy') }),
    },
  },
  {
    name: 'update-web',
    event: 'rolling update of the web tier',
    limit: '0 failed',
    holds: nothingFailed,
    needs: 'update',
    run: (site) => {
      site.edit(SITE_CONF, (text) => text.replace('client', `client ${Date.now()}`))
      return underLoad(site, { act: () => site.must('update', '--tier', 'web'), after: 1_000 })
    },
    control: {
      what: 'both killed and started, none drained',
      run: (site) =>
        underLoad(site, {
          act: () => onAll(site, ['web1', 'web2'], 'systemctl kill -s KILL nginx; sleep 0.2; systemctl restart nginx'),
        }),
    },
  },
  {
    name: 'deploy',
    event: 'rolling deploy of the application, with POST',
    limit: '0 failed',
    holds: nothingFailed,
    needs: 'deploy',
    run: (site) => {
      site.edit(RELEASE, (text) => `${text}\n// ${Date.now()}\n`)
      return underLoad(site, { act: () => site.must('deploy'), after: 1_000 })
    },
    control: {
      what: 'both killed and started, none drained',
      run: (site) => underLoad(site, { act: () => onAll(site, ['app1', 'app2'], 'systemctl kill -s KILL notes') }),
    },
  },
  broken({
    name: 'broken-release',
    event: 'a release that does not start',
    hosts: ['app1', 'app2'],
    state: 'readlink /srv/notes/current',
    edit: (site) => site.edit(RELEASE, () => 'process.exit(1)\n'),
    command: ['deploy'],
    byHand: 'systemctl stop notes; sleep 1; systemctl start notes',
  }),
  broken({
    name: 'broken-config',
    event: 'a configuration that nginx refuses',
    hosts: ['web1', 'web2'],
    state: 'sha256sum /etc/nginx/conf.d/site.conf',
    edit: (site) => site.edit(SITE_CONF, (text) => `${text}\nnonsense;\n`),
    command: ['update', '--tier', 'web'],
    byHand:
      'echo "nonsense;" >> /etc/nginx/conf.d/site.conf; systemctl restart nginx; sed -i "\\$d" /etc/nginx/conf.d/site.conf; systemctl restart nginx',
  }),
  broken({
    name: 'broken-password',
    event: 'a wrong password of the database',
    hosts: ['app1', 'app2'],
    state: 'sha256sum /etc/notes/db-password',
    edit: (site) => site.edit(INVENTORY, (text) => text.replace("secret.of(lab.secret('app'))", "secret.of('wrong')")),
    command: ['update', '--tier', 'app'],
    byHand:
      'cp -p /etc/notes/db-password /run/proof; echo wrong > /etc/notes/db-password; systemctl restart notes; sleep 1; cat /run/proof > /etc/notes/db-password; rm /run/proof; systemctl restart notes',
  }),
]

interface Broken extends Pick<Row, 'name' | 'event'> {
  readonly hosts: readonly string[]
  /** A command with the state that each host must have again afterwards. */
  readonly state: string
  readonly edit: (site: Site) => () => void
  readonly command: readonly [string, ...string[]]
  /** The same event without the playbook, on all hosts at once. */
  readonly byHand: string
}

function broken({ name, event, hosts, state, edit, command, byHand }: Broken): Row {
  const states = (site: Site) => Promise.all(hosts.map((host) => site.on(host, state)))
  return {
    name,
    event,
    limit: 'stops at host 1, taken back, 0 failed, status 1',
    holds: (figures) => nothingFailed(figures) && (figures.besides?.good ?? false),
    needs: command[0],
    run: async (site) => {
      const before = await states(site)
      const undo = edit(site)
      let ended = { code: -1, text: '' }
      try {
        const seen = await underLoad(site, {
          act: async () => {
            ended = await site.provision(...command)
          },
          after: 1_000,
        })
        const same = (await states(site)).join() === before.join()
        const second = new RegExp(`^${hosts[1]}\\b.*✓`, 'm').test(ended.text)
        const words = [`status ${ended.code}`, same ? 'all as before' : 'NOT AS BEFORE', second && 'went on to host 2']
        return {
          ...seen,
          besides: { good: ended.code === 1 && same && !second, words: words.filter(Boolean).join(', ') },
        }
      } finally {
        undo()
      }
    },
    control: {
      what: 'by hand, on both at once',
      run: (site) => underLoad(site, { act: () => onAll(site, hosts, byHand) }),
    },
  }
}

async function renewed(site: Site): Promise<Figures> {
  const shown = () => site.on('lb1', 'openssl x509 -in /etc/haproxy/certs/notes.test.pem -noout -serial')
  const before = await shown()
  const seen = await underLoad(site, {
    act: async () => {
      rmSync(`${site.lab.directory}/pki/notes.test.pem`)
      await site.must(...(site.has('renew') ? ['renew'] : ['update', '--tier', 'lb']))
    },
    count: 5_000,
    after: 500,
  })
  const changed = (await shown()) !== before
  return { ...seen, besides: { good: changed, words: changed ? 'renewed' : 'NOT RENEWED' } }
}

async function onAll(site: Site, hosts: readonly string[], command: string): Promise<void> {
  await Promise.all(hosts.map((host) => site.on(host, command)))
  await pause(500)
}
