import { expect } from 'chai'
import { matchHosts } from '../../src/api/limit.ts'
import { Problem } from '../../src/model/problem.ts'

const HOSTS = ['lb/lb1', 'web/web1', 'web/web2', 'web/web10', 'app/app1', 'db/db1', 'db/web1'].map((word) => {
  const [group = '', name = ''] = word.split('/')
  return { name, group, address: '10.0.0.1' }
})

describe('--limit', () => {
  const selected = (limit: string) =>
    HOSTS.filter(matchHosts(limit, HOSTS))
      .map(({ group, name }) => `${group}/${name}`)
      .join(' ')

  const TABLE: Readonly<Record<string, string>> = {
    web2: 'web/web2',
    app: 'app/app1',
    'lb1, app1': 'lb/lb1 app/app1',
    // The name of a host in two groups selects it in both, the name of a group in that one.
    web1: 'web/web1 db/web1',
    db: 'db/db1 db/web1',
    web: 'web/web1 web/web2 web/web10',
    'web?': 'web/web1 web/web2 db/web1',
    'web*': 'web/web1 web/web2 web/web10 db/web1',
    '*1': 'lb/lb1 web/web1 app/app1 db/db1 db/web1',
    all: 'lb/lb1 web/web1 web/web2 web/web10 app/app1 db/db1 db/web1',
    'web,!web2': 'web/web1 web/web10',
    '!web2,web': 'web/web1 web/web10',
    '!web,!db': 'lb/lb1 app/app1',
  }
  for (const [limit, hosts] of Object.entries(TABLE))
    it(`"${limit}" selects ${hosts}`, () => {
      expect(selected(limit)).to.equal(hosts)
    })

  const refused = (limit: string): Problem => {
    try {
      selected(limit)
    } catch (error) {
      if (error instanceof Problem) return error
    }
    throw new Error('no Problem was thrown')
  }

  it('rejects a name that matches no host, with a suggestion', () => {
    expect(refused('wbe1').message).to.equal('--limit: no host or group matches "wbe1"')
    expect(refused('wbe1').next).to.match(/^Did you mean "web1"/)
    expect(refused('web,!no-such-name').next).to.match(/^The hosts and groups are lb1, lb, web1, web, web2, web10,/)
    expect(refused('!').message).to.match(/matches ""$/)
  })

  it('rejects a selection without hosts: an empty variable of a script must not select all', () => {
    for (const limit of ['', ' , ', 'web,!web', '!all'])
      expect(refused(limit).message).to.equal(`--limit: "${limit}" selects no host`)
  })

  it('treats special characters of regular expressions literally', () => {
    for (const word of ['web.', 'w+b', '(web)', '[w]eb', 'web|db', '^web$', '\\w*'])
      expect(refused(word), word).to.be.instanceOf(Problem)
  })
})
