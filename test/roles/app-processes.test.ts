import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { processesScript } from '../../roles/app/templates.ts'

describe('several processes of an application', () => {
  let directory: string
  let child: ChildProcess | undefined
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'provision-processes-'))
    writeFileSync(join(directory, 'processes.mjs'), processesScript({}))
  })
  afterEach(() => {
    child?.kill('SIGKILL')
    rmSync(directory, { recursive: true })
  })

  /** Starts two processes of this program. */
  const started = async (program: string) => {
    writeFileSync(join(directory, 'server.mjs'), program)
    const port = await freePort()
    child = spawn(process.execPath, ['processes.mjs', '2', 'server.mjs', 'an argument'], {
      cwd: directory,
      env: { ...process.env, PORT: String(port), NODE_OPTIONS: '' },
      stdio: 'ignore',
    })
    const of = child
    const ended = new Promise<number | null>((done) => of.once('exit', done))
    return { child: of, ended, url: `http://127.0.0.1:${port}/` }
  }

  it('share one port, have the arguments, and a lost one is replaced', async () => {
    const { url } = await started(SERVER)
    const seen = new Set<string>()
    while (seen.size < 2) seen.add(await answerOf(url))
    for (const line of seen) expect(line).to.match(/^\d+ an argument$/)
    const [first = ''] = seen
    process.kill(Number(first.split(' ')[0]), 'SIGKILL')
    while (seen.size < 3) seen.add(await answerOf(url))
  })

  it('end at SIGTERM to all of them, as systemd sends it', async () => {
    const { child: of, ended, url } = await started(SERVER)
    const seen = new Set<string>()
    while (seen.size < 2) seen.add(await answerOf(url))
    for (const line of seen) process.kill(Number(line.split(' ')[0]), 'SIGTERM')
    of.kill('SIGTERM')
    expect(await ended).to.equal(0)
  })

  it('end with the status of a process that ends before it listens', async () => {
    const { ended } = await started('process.exit(78)\n')
    expect(await ended).to.equal(78)
  })
})

const SERVER = `
import { createServer } from 'node:http'
createServer((_request, response) => {
  response.writeHead(200, { connection: 'close' }).end(process.pid + ' ' + process.argv[2])
}).listen(Number(process.env.PORT), '127.0.0.1')
process.once('SIGTERM', () => process.exit(0))
`

/** The answer, as soon as there is one. */
async function answerOf(url: string): Promise<string> {
  for (;;) {
    // A connection that a process had at its end may stay open.
    const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) }).then(
      (response) => response.text(),
      () => undefined,
    )
    if (answer !== undefined) return answer
    await new Promise((done) => setTimeout(done, 20))
  }
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
