import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import { probe } from '../../../src/model/playbook/probe.ts'
import { handler } from '../../../src/model/resource/handler.ts'
import { absent } from '../../../src/resources/files/absent.ts'
import { directory } from '../../../src/resources/files/directory.ts'
import { file } from '../../../src/resources/files/file.ts'
import { link } from '../../../src/resources/files/link.ts'
import {
  type ReplacingStep,
  type TransactionOptions,
  transaction,
} from '../../../src/resources/transaction/transaction.ts'
import { Secret } from '../../../src/shell/secret.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig } from '../../support/rig.ts'

describe('a transaction', () => {
  const rig = ownRig()

  before(function () {
    if (rig.machine.isPrivate) return
    // It needs its own /var/lib, and mounts for the validation.
    console.log('    (no mount namespace can be had here, so transactions are not tested)')
    this.skip()
  })
  beforeEach(() => {
    writeFileSync(`${rig.root}/a`, 'old a', { mode: 0o600 })
    mkdirSync(`${rig.root}/conf.d`)
    writeFileSync(`${rig.root}/conf.d/b`, 'old b', { mode: 0o640 })
    symlinkSync('a', `${rig.root}/link`)
  })
  afterEach(async () => {
    expect(await remains()).to.equal('')
  })

  const run = async (steps: readonly ReplacingStep[], options: TransactionOptions = {}) => {
    const { reported, events } = await rig.run((web) => [
      play('web', { hosts: web }, () => transaction('conf', steps, options)),
    ])
    const [failed] = events.flatMap((event) => (event.kind === 'failed' ? [event.problem] : []))
    return { reported: reported.map((line) => line.split(' ')[1]), details: failed?.details ?? [] }
  }
  /** The remains of transactions on the machine. */
  const remains = async () => {
    const { session, close } = await rig.open({ name: 'web1', group: 'web', address: '' }, { lock: false })
    const [found] = await session.run([
      {
        script: sh`ls -A /var/lib/provision/transactions 2>/dev/null; ls -d /run/provision-* 2>/dev/null
grep -E ${`overlay ${rig.root}`} /proc/mounts; find ${rig.root} -name '.*provision*'`,
      },
    ])
    await close()
    return found?.stdout.toString()
  }
  /** Records the contents of the files when it runs. */
  const recording = (then = sh`:`) =>
    handler(
      'activate',
      sh`{ cat ${`${rig.root}/a`}; echo; cat ${`${rig.root}/conf.d/b`}; echo; } >> ${`${rig.root}/recorded`}; ${then}`,
    )
  const both = (a = 'new a', b = 'new b') => [
    file(`${rig.root}/a`, a, rig.own),
    file(`${rig.root}/conf.d/b`, b, rig.own),
  ]
  const OLD = { a: '600 old a', 'conf.d/b': '640 old b', link: 'link a' }
  const NEW = { a: '644 new a', 'conf.d/b': '644 new b', link: 'link a' }

  it('replaces and activates all files', async () => {
    const { reported } = await run(both(), { activate: recording() })
    expect(reported).to.deep.equal(['changed'])
    expect(tree(rig.root)).to.deep.equal({ ...NEW, recorded: '644 new a\nnew b\n' })
  })

  it('does nothing without a change', async () => {
    await run(both(), { activate: recording() })
    const { reported } = await run(both(), { activate: handler('activate', sh`false`), validate: sh`false` })
    expect(reported).to.deep.equal(['ok'])
  })

  it('changes only files that differ', async () => {
    await run(both())
    const before = statSync(`${rig.root}/conf.d/b`).ino
    await run(both('newer a'))
    expect(statSync(`${rig.root}/conf.d/b`).ino).to.equal(before)
    expect(readFileSync(`${rig.root}/a`, 'utf8')).to.equal('newer a')
  })

  it('shows the new files only to the validation, at their final paths', async () => {
    const seen = `${rig.empty()}/seen` as const
    const keeper = `/proc/${process.ppid}/root`
    await run([...both(), file(`${rig.root}/new/deep/c`, 'new c', rig.own), absent(`${rig.root}/link`)], {
      validate: sh`
cat ${`${rig.root}/a`} ${`${rig.root}/conf.d/b`} ${`${rig.root}/new/deep/c`} > ${seen}
stat -c %a ${`${rig.root}/a`} ${`${rig.root}/conf.d`} >> ${seen}
ls ${rig.root} | tr '\n' ' ' >> ${seen}
ls ${keeper}${rig.root} >/dev/null 2>&1 && cat ${keeper}${`${rig.root}/a`} >> ${seen} || cat ${`${rig.root}/a`} | tr n N | sed 's/New/old/' >> ${seen}`,
    })
    expect(readFileSync(seen, 'utf8')).to.equal(`${['new a', 'new b', 'new c'].join('')}644\n755\na conf.d new old a`)
    expect(tree(rig.root)).to.deep.equal({
      a: '644 new a',
      'conf.d/b': '644 new b',
      'new/deep/c': '644 new c',
    })
  })

  it('keeps the old files if the validation fails, and shows its output', async () => {
    const { reported, details } = await run(both(), {
      validate: sh`echo line 3 of $(cat ${`${rig.root}/a`}); echo why >&2; false`,
      activate: recording(),
    })
    expect(reported).to.deep.equal(['failed'])
    expect(details.map((line) => line.trim())).to.include.members([
      'line 3 of new a',
      'why',
      'The validation of the new files failed; the old files are unchanged.',
    ])
    expect(tree(rig.root)).to.deep.equal(OLD)
  })

  it('restores and activates the old files if the activation fails', async () => {
    const { reported, details } = await run(both(), {
      activate: recording(sh`grep -q old ${`${rig.root}/a`}`),
    })
    expect(reported).to.deep.equal(['failed'])
    expect(details.join('\n')).to.match(/conf: the activation failed\.\n +The old files are restored and active\./)
    expect(tree(rig.root)).to.deep.equal({ ...OLD, recorded: '644 new a\nnew b\nold a\nold b\n' })
  })

  it('reports that the old files could not be activated', async () => {
    const { details } = await run(both(), { activate: handler('activate', sh`echo no; false`) })
    expect(details.join('\n')).to.match(/restored, but could not be activated: check the service\./)
    expect(tree(rig.root)).to.deep.equal(OLD)
  })

  it('restores the old files if the probe fails', async () => {
    const { details } = await run(both(), {
      activate: recording(),
      probe: probe('it works', sh`echo too new; grep -q old ${`${rig.root}/a`}`, { timeout: 0 }),
    })
    expect(details.join('\n')).to.match(/too new\n +conf: activated, but the probe failed\./)
    expect(tree(rig.root)).to.deep.equal({ ...OLD, recorded: '644 new a\nnew b\nold a\nold b\n' })
  })

  it('waits until its probe succeeds', async () => {
    const { reported } = await run(both(), {
      probe: probe('it works', sh`test -e ${`${rig.root}/tried`} || { touch ${`${rig.root}/tried`}; false; }`, {
        timeout: '5s',
      }),
    })
    expect(reported).to.deep.equal(['changed'])
  })

  it('removes new files and restores removed ones in a rollback', async () => {
    const { reported } = await run(
      [
        file(`${rig.root}/new`, 'new', rig.own),
        file(`${rig.root}/extra/deep/c`, 'new c', rig.own),
        absent(`${rig.root}/a`),
        link(`${rig.root}/link`, { target: 'new' }),
        file(`${rig.root}/conf.d/secret`, new Secret(() => 'hunter2'), rig.own),
      ],
      { activate: handler('activate', sh`[ ! -e ${`${rig.root}/new`} ]`) },
    )
    expect(reported).to.deep.equal(['failed'])
    expect(tree(rig.root)).to.deep.equal(OLD)
  })

  it('creates links and removes files', async () => {
    await run([
      absent(`${rig.root}/a`),
      link(`${rig.root}/link`, { target: 'conf.d/b' }),
      link(`${rig.root}/other`, { target: 'x' }),
    ])
    expect(tree(rig.root)).to.deep.equal({ 'conf.d/b': '640 old b', link: 'link conf.d/b', other: 'link x' })
  })

  it('changes nothing if a path to remove is a directory', async () => {
    const { reported, details } = await run([...both(), absent(`${rig.root}/conf.d`)])
    expect(reported).to.deep.equal(['failed'])
    expect(details.join('\n')).to.include('conf.d is a directory, which a transaction cannot restore')
    expect(tree(rig.root)).to.deep.equal(OLD)
  })

  it('changes nothing if a file cannot be written', async () => {
    const { reported } = await run([...both(), file(`${rig.root}/c`, 'c', { owner: 'no-such-user' })], {
      activate: recording(),
    })
    expect(reported).to.deep.equal(['failed'])
    expect(tree(rig.root)).to.deep.equal(OLD)
  })

  it('is rolled back without a new connection, if it must be confirmed', async () => {
    const locks: boolean[] = []
    const { reported } = await rig.run(
      (web) => [play('web', { hosts: web }, () => transaction('conf', both(), { confirmed: true }))],
      { opens: (_host, { lock }) => locks.push(lock) },
    )
    expect(reported).to.deep.equal(['web1 changed transaction conf'])
    // The session of the run, one that saw the wait, and one that was opened afterwards.
    expect(locks[0]).to.equal(true)
    expect(locks.filter((lock) => !lock).length).to.be.at.least(2)
  })

  it('takes any text, in files and names', async () => {
    const name = `it's "$HOME" \`id\`\n`
    await run([file(`${rig.root}/${name}`, `'\n"EOF"\nPROVISION_VALIDATE\n$(id)`, rig.own)], {
      validate: sh`grep -q 'PROVISION_VALIDATE' ${`${rig.root}/${name}`}`,
    })
    expect(readFileSync(`${rig.root}/${name}`, 'utf8')).to.equal(`'\n"EOF"\nPROVISION_VALIDATE\n$(id)`)
  })

  it('takes binary content', async () => {
    const bytes = Buffer.from([0, 0xff, 10, 0, 39])
    await run([file(`${rig.root}/bin`, bytes, rig.own), ...both()])
    expect(readFileSync(`${rig.root}/bin`).equals(bytes)).to.equal(true)
  })

  it('is described by its parts', () => {
    const step = transaction('conf', [file('/a', 'a'), file('/b', 'b')])
    const difference = step.diff([undefined, undefined])
    expect(difference?.parts?.map(({ name, difference: { action } }) => `${name} ${action}`)).to.deep.equal([
      'file /a create',
      'file /b create',
    ])
    expect(difference?.texts?.map(({ path }) => path)).to.deep.equal(['/a', '/b'])
  })

  it('rejects steps that it cannot roll back, and steps with handlers', () => {
    expect(() => transaction('conf', [directory('/d')])).to.throw(
      TypeError,
      'transaction "conf": directory /d cannot be rolled back',
    )
    expect(() => transaction('conf', [file('/a', 'a', { notify: handler('reload', sh`:`) })])).to.throw(
      TypeError,
      'pass the handler of /a as activate',
    )
    const asOther = handler('reload', { script: sh`:`, as: 'postgres' })
    expect(() => transaction('conf', [file('/a', 'a')], { activate: asOther })).to.throw(
      TypeError,
      'cannot have a user',
    )
  })
})

/** Everything below a directory: modes and texts of files, and targets of links. */
function tree(root: string): Readonly<Record<string, string>> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' })
  return Object.fromEntries(
    names.sort().flatMap((name) => {
      const stat = lstatSync(join(root, name))
      if (stat.isDirectory()) return []
      if (stat.isSymbolicLink()) return [[name, `link ${readlinkSync(join(root, name))}`]]
      return [[name, `${(stat.mode & 0o777).toString(8)} ${readFileSync(join(root, name), 'utf8')}`]]
    }),
  )
}
