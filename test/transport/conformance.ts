import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import { Shell, sh } from '../../src/shell/sh.ts'
import { ConnectionLost } from '../../src/transport/errors.ts'
import { openSession } from '../../src/transport/session/open.ts'
import type { Result, Script, Session } from '../../src/transport/session/session.ts'
import type { Connection } from '../../src/transport/transport.ts'
import { cutShort, thrown } from './helpers.ts'
import { sharedScripts, text } from './shared-scripts.ts'

export interface Conformance {
  /** The tested shell. @default 'sh' */
  readonly shell?: string
}

/** Tests for every transport and POSIX shell. The connection may be to any host whose user can write to /tmp. */
export function conformance(
  name: string,
  connect: () => Promise<Connection>,
  { shell = 'sh' }: Conformance = {},
): void {
  describe(`a session over ${name}`, () => {
    let connection: Connection
    let session: Session
    const open = (over: Connection = connection) => openSession(over, { host: 'web1', shell })
    const one = async (script: Shell, options: Omit<Script, 'script'> = {}): Promise<Result> => {
      const [result] = await session.run([{ script, ...options }])
      if (!result) throw new Error('no result')
      return result
    }

    before(async () => {
      connection = await connect()
      session = await open()
    })
    after(async () => {
      await session.close()
      await connection.close()
    })
    afterEach('is in step, in / and with its usual umask', async () => {
      const [, result] = await session.run([{ script: sh`:` }, { script: sh`echo step; pwd; umask; command -v sh` }])
      expect(result?.stdout.toString()).to.match(/^step\n\/\n0?022\n\/(usr\/)?bin\/sh\n$/)
      expect(result?.stderr.toString()).to.equal('')
    })

    it('opens and runs its first scripts in one round trip', async () => {
      const fresh = await open()
      const results = await fresh.run([{ script: sh`echo a` }, { script: sh`echo b >&2; exit 7` }])
      expect(results.map(text)).to.deep.equal(['0 a\n ', '7  b\n'])
      expect(fresh.trips).to.equal(1)
      expect((await fresh.opened).pid).to.be.greaterThan(1)
      await fresh.close()
    })

    const survives: Readonly<Record<string, readonly [Shell, RegExp]>> = {
      'NUL bytes': [sh`printf 'a\0b'`, /^0 a\0b $/],
      'no final newline': [sh`printf a; printf b >&2`, /^0 a b$/],
      'a reader of stdin': [sh`cat; read x; echo "<$x>"`, /^0 <>\n $/],
      'closed descriptors': [sh`echo a; exec 0<&- 1>&- 2>&-; echo b`, /^\d+ a\n $/],
      exec: [sh`exec echo a`, /^0 a\n $/],
      exit: [sh`exit 3`, /^3 {2}$/],
      'set -eu': [sh`set -eu; false; echo no`, /^1 {2}$/],
      'changes of directory, umask and PATH': [
        sh`cd /tmp; umask 777; PATH=/none; alias echo=false; echo a`,
        /^0 a\n $/,
      ],
      'a syntax error': [sh`echo a; if; fi`, /^2 (a\n)? .+/s],
      'an open quote': [Shell.raw(`echo a; echo 'b`), /^2 (a\n)? .+/s],
      'an open brace and a heredoc without end': [sh`f() { cat <<EOF`, /^2 {2}.*$/s],
      'closed parentheses': [sh`) ; exit 0`, /^2 {2}.+$/s],
      readonly: [sh`readonly PATH _s _x _r; _r=1`, /^[12] {2}.+$/s],
      return: [sh`return 4 2>/dev/null; exit 4`, /^[24] {2}$/],
      'functions and traps': [sh`_e() { :; }; _m() { :; }; unset -f _f; trap 'echo bye' EXIT`, /^0 bye\n $/],
      'text that looks like a mark': [sh`printf '\001%s e 1 0\n' 0123456789abcdef01234567`, /^0 .{25} e 1 0\n $/s],
      'bytes that are no UTF-8': [sh`printf '\377\200\201\210\n'`, /^0 .+\n $/s],
      'characters beyond ASCII': [sh`echo ${"grün ☃ 'x'"}`, /^0 grün ☃ 'x'\n $/],
    }
    for (const mode of ['inline', 'isolated'] as const)
      for (const [what, [script, expected]] of Object.entries(survives))
        it(`survives ${what} (${mode})`, async () => {
          expect(text(await one(script, { mode }))).to.match(expected)
        })

    it('survives an isolated script that kills its process group, or itself', async () => {
      const kills = [sh`echo a; kill 0; sleep 5`, sh`echo a; kill -KILL $$`, sh`kill -KILL 0`]
      const results = await session.run(kills.map((script) => ({ script, mode: 'isolated' })))
      expect(results.map(text)).to.deep.equal(['143 a\n ', '137 a\n ', '137  '])
    })

    it('does not wait for processes that an isolated script leaves behind, and ignores their output', async () => {
      const late = sh`(sleep 0.07; echo late; echo late >&2) & echo early`
      expect(text(await one(late, { mode: 'isolated' }))).to.equal('0 early\n ')
      expect(text(await one(sh`sleep 0.08; echo next`, { mode: 'isolated' }))).to.equal('0 next\n ')
    })

    it('gives isolated scripts only the three standard descriptors', async () => {
      const { stdout } = await one(sh`ls /proc/self/fd`, { mode: 'isolated' })
      // Descriptor 3 is that of ls; higher ones were inherited.
      const ours = stdout
        .toString()
        .split('\n')
        .filter((descriptor) => /^\d$/.test(descriptor))
      expect(ours).to.deep.equal(['0', '1', '2', '3'])
    })

    sharedScripts(() => session)

    it('reads much output on both streams at once', async () => {
      const script = sh`head -c 5000000 /dev/zero & head -c 1000000 /dev/zero >&2; wait; echo end`
      for (const mode of ['inline', 'isolated'] as const) {
        const { stdout, stderr } = await one(script, { mode })
        expect([stdout.length, stderr.length, stdout.subarray(-4).toString()]).to.deep.equal([
          5000004,
          1000000,
          'end\n',
        ])
      }
    })

    it('takes a long script', async () => {
      for (const mode of ['inline', 'isolated'] as const) {
        // bash reads its stdin a byte at a time.
        const long = 'x'.repeat(shell.startsWith('bash') || mode === 'isolated' ? 300_000 : 3_000_000)
        const { stdout } = await one(sh`x=${long}; echo \${#x}`, { mode })
        expect(Number(stdout.toString())).to.equal(long.length)
      }
    })

    it('passes on input with all byte values unchanged, small and large', async () => {
      const all = Buffer.from(Array.from({ length: 256 }, (_, i) => 255 - i))
      const inputs = [Buffer.from('-n'), Buffer.from("%s\\n'\n\n"), all, Buffer.alloc(64 * 1024, all)]
      const scripts = [
        ...inputs.flatMap((input) =>
          (['inline', 'isolated'] as const).map((mode) => ({ script: sh`cat`, mode, input })),
        ),
        { script: sh`cat`, input: Buffer.alloc(10_000_000, all) },
        { script: sh`cat`, mode: 'isolated' as const, input: Buffer.alloc(1_000_000, all) },
      ]
      const results = await session.run(scripts)
      results.forEach(({ code, stdout, stderr }, i) => {
        expect([code, stdout.equals(scripts[i]?.input ?? all), stderr.toString()]).to.deep.equal([0, true, ''])
      })
    })

    it('passes on an input in pieces, and waits for the host to accept each', async () => {
      const pieces = Array.from({ length: 100 }, (_, i) => Buffer.alloc(i === 50 ? 1_000_003 : 64_000, i))
      const size = pieces.reduce((sum, { length }) => sum + length, 0)
      let read = 0
      const input = {
        open: async () => ({
          size,
          pieces: (async function* () {
            for (const piece of pieces) {
              yield piece
              read++
            }
          })(),
        }),
      }
      for (const mode of ['inline', 'isolated'] as const) {
        read = 0
        const slow = session.run([{ script: sh`sleep 0.2; sha256sum`, mode, input }, { script: sh`echo next` }])
        await new Promise((done) => setTimeout(done, 100))
        expect(read, 'pieces that were read before the host took them').to.be.below(pieces.length)
        const [sum, next] = await slow
        expect(sum?.stdout.toString()).to.equal(
          `${createHash('sha256').update(Buffer.concat(pieces)).digest('hex')}  -\n`,
        )
        expect(next?.stdout.toString()).to.equal('next\n')
      }
      const few = { open: async () => ({ size: 3, pieces: Readable.from([Buffer.from('few')]) }) }
      expect((await one(sh`cat`, { input: few })).stdout.toString()).to.equal('few')
    })

    it('fails with the reason if an input becomes unreadable during the upload', async () => {
      const doomed = await open()
      const broken = {
        open: async () => ({
          size: 1_000_000,
          pieces: (async function* () {
            yield Buffer.alloc(500_000)
            throw new Error('the file was changed')
          })(),
        }),
      }
      const path = `/tmp/provision-broken-${Math.random()}`
      const refused = doomed.run([{ script: sh`cat >${path}.new; mv ${path}.new ${path}`, input: broken }])
      expect(await thrown(refused)).to.match(/the file was changed/)
      await doomed.close()
      expect((await one(sh`ls ${path} 2>/dev/null; rm -f ${path}.new`)).stdout.toString()).to.equal('')
    })

    it('stays synchronized if a script reads only a part of its input, or cannot write it', async () => {
      const scripts = [sh`head -c 3`, sh`exit 5`, sh`cat >/dev/full`, sh`exec 0<&-; echo closed`]
      for (const mode of ['inline', 'isolated'] as const)
        for (const size of [0, 100, 60_000, 1_000_000]) {
          const input = Buffer.alloc(size, 'abc')
          const results = await session.run(scripts.map((script) => ({ script, mode, input })))
          expect(results.map(({ code }) => code).join()).to.match(size ? /^0,5,1,0$/ : /^0,5,0,0$/)
          expect(results[3]?.stdout.toString()).to.equal('closed\n')
        }
    })

    it('kills a script with a truncated input before it sees the end', async () => {
      for (const mode of ['inline', 'isolated'] as const) {
        const path = `/tmp/provision-cut-${Math.random()}`
        const cut = await open(cutShort(connection, 500_000))
        const input = Buffer.alloc(1_000_000)
        const script = sh`cat >${path}.new; mv ${path}.new ${path}`
        const [result] = await cut.run([{ script, mode, input }]).catch(() => [])
        expect(result?.code ?? 137).to.equal(137)
        await cut.close()
        const { stdout } = await one(sh`ls ${path} 2>/dev/null; rm -f ${path}.new`)
        expect(stdout.toString()).to.equal('')
      }
    })

    it('skips scripts after a failure on the host, without sending their input', async () => {
      const trips = session.trips
      const results = await session.run(
        [
          { script: sh`exit 1`, mayFail: true },
          { script: sh`echo a`, mode: 'isolated' },
          { script: sh`exit 2`, mode: 'isolated' },
          { script: sh`echo b` },
          { script: sh`cat`, input: Buffer.alloc(1_000_000) },
        ],
        { stopAtFailure: true },
      )
      expect(results.map(({ code }) => code)).to.deep.equal([1, 0, 2, -1, -1])
      expect(results.map(({ skipped }) => skipped)).to.deep.equal([false, false, false, true, true])
      expect(session.trips - trips).to.equal(1)
      expect((await one(sh`echo again`)).stdout.toString()).to.equal('again\n')
    })

    it('counts one trip per run, and one more per large input', async () => {
      const trips = session.trips
      await session.run([{ script: sh`:` }, { script: sh`cat`, input: Buffer.alloc(1000) }])
      expect(session.trips - trips).to.equal(1)
      await session.run([{ script: sh`cat`, input: Buffer.alloc(100_000) }, { script: sh`:` }])
      expect(session.trips - trips).to.equal(3)
    })

    it('runs overlapping trips in order', async () => {
      const results = await Promise.all([1, 2, 3].map((n) => session.run([{ script: sh`echo ${n}` }])))
      expect(results.map(([result]) => result?.stdout.toString())).to.deep.equal(['1\n', '2\n', '3\n'])
    })

    for (const mode of ['inline', 'isolated'] as const)
      it(`kills a script for its timeout with all its processes, and stays usable (${mode})`, async () => {
        const mark = `${30 + Math.random()}`
        const hangs = sh`(trap '' TERM; sleep ${mark}; echo no) & sh -c ${`sleep ${mark}; :`}; sleep ${mark}; echo no`
        const results = await session.run([
          { script: sh`echo before`, timeout: 10_000, mode },
          { script: hangs, timeout: 40, mode },
          { script: sh`cat; sleep 30`, timeout: 40, mode, input: Buffer.alloc(200_000) },
          { script: sh`echo after`, mode },
        ])
        expect(results.map(({ code, timedOut }) => `${code} ${timedOut}`)).to.deep.equal([
          '0 false',
          '137 true',
          '137 true',
          '0 false',
        ])
        const { stdout } = await one(sh`cat /proc/[0-9]*/cmdline 2>/dev/null; :`)
        expect(stdout.includes(mark)).to.equal(false)
      })

    it('reports the progress of an isolated script while it runs, in order and unchanged', async () => {
      const gate = `/tmp/provision-gate-${Math.random()}`
      const lines: string[] = []
      const words = "  it's 12 % \\n of 40 \u0001\\ "
      const script = sh`say first; until [ -e ${gate} ]; do sleep 0.02; done; say ${words} x; say; rm ${gate}; echo out; echo err >&2; exit 7`
      let early: Promise<Result> | undefined
      await new Promise<void>((heard) => {
        const onProgress = (line: string) => {
          lines.push(line)
          heard()
        }
        early = one(script, { mode: 'isolated', timeout: 10_000, onProgress })
      })
      expect(lines).to.deep.equal(['first'])
      const other = await open()
      await other.run([{ script: sh`: >${gate}` }])
      await other.close()
      expect(early && text(await early)).to.equal('7 out\n err\n')
      expect(lines.slice(1)).to.deep.equal([`${words} x`, ''])
    })

    it('reports the progress of a script with an input, and of one that is killed', async () => {
      const lines: string[] = []
      const onProgress = (line: string) => void lines.push(line)
      const results = await session.run([
        {
          script: sh`read x; say got "$x"; cat >/dev/null`,
          mode: 'isolated',
          input: Buffer.from('a\nb'),
          onProgress,
        },
        { script: sh`say many "$(wc -c)"`, mode: 'isolated', input: Buffer.alloc(200_000), onProgress },
        { script: sh`say killed; sleep 30`, mode: 'isolated', timeout: 150, onProgress },
        { script: sh`say itself; kill -KILL $$`, mode: 'isolated', onProgress },
        { script: sh`command -v say || echo none`, mode: 'isolated' },
      ])
      expect(lines).to.deep.equal(['got a', 'many 200000', 'killed', 'itself'])
      expect(results.map(({ code, timedOut }) => `${code} ${timedOut}`)).to.deep.equal([
        '0 false',
        '0 false',
        '137 true',
        '137 false',
        '0 false',
      ])
      expect(results[4]?.stdout.toString()).to.equal('none\n')
    })

    it('neither awaits nor reports processes that a script left behind, which may write on', async () => {
      const lines: string[] = []
      const path = `/tmp/provision-said-${Math.random()}`
      const script = sh`(sleep 0.1; say late; : >${path}) & say early`
      await one(script, { mode: 'isolated', onProgress: (line) => void lines.push(line) })
      const { stdout } = await one(sh`sleep 0.3; ls ${path}; rm ${path}`, { mode: 'isolated' })
      expect(lines).to.deep.equal(['early'])
      expect(stdout.toString()).to.equal(`${path}\n`)
    })

    it('shows neither scripts nor input to other users of the host', async () => {
      const canary = `canary-${Math.random()}`
      const watch = await open()
      for (const mode of ['inline', 'isolated'] as const) {
        const script = sh`: ${canary}; read x; sleep 0.08`
        const small = session.run([{ script, mode, input: Buffer.from(canary) }])
        const [seen] = await watch.run([
          {
            script: sh`sleep 0.03; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; ls /tmp /run; cat /run/provision.* /tmp/provision.* /tmp/sh*; :`,
          },
        ])
        expect(seen?.stdout.includes(canary)).to.equal(false)
        await small
      }
      await watch.close()
    })

    it('rejects an invalid user name, and a user for an inline script', async () => {
      expect(await thrown(one(sh`:`, { as: 'a b', mode: 'isolated' }))).to.be.instanceOf(TypeError)
      expect(await thrown(one(sh`:`, { as: 'root' }))).to.be.instanceOf(TypeError)
      expect(await thrown(one(sh`:`, { onProgress: () => {} }))).to.be.instanceOf(TypeError)
    })

    it('reports that its shell was killed', async () => {
      const doomed = await open()
      await doomed.opened
      const lost = await thrown(doomed.run([{ script: sh`kill -KILL $$` }]))
      expect(lost).to.be.instanceOf(ConnectionLost)
      expect(String(lost)).to.match(/lost web1: its shell ended, killed by SIGKILL|lost web1/)
      expect(await thrown(doomed.run([{ script: sh`:` }]))).to.equal(lost)
      await doomed.close()
    })

    it('reports that the connection was closed', async () => {
      const other = await connect()
      const doomed = await open(other)
      await doomed.opened
      const running = doomed.run([{ script: sh`sleep 1` }])
      await other.close()
      expect(await thrown(running)).to.be.instanceOf(ConnectionLost)
      await doomed.close()
    })

    it('waits for the running trip when it is closed, and accepts no more', async () => {
      const closing = await open()
      const running = closing.run([{ script: sh`sleep 0.05; echo done` }])
      const closed = closing.close()
      expect((await running)[0]?.stdout.toString()).to.equal('done\n')
      await closed
      expect(await thrown(closing.run([{ script: sh`:` }]))).to.be.an('error')
    })
  })
}
