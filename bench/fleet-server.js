// An SSH server that simulates many hosts: the user name of a login is the name of a host. It answers each round trip with the recorded
// output of a real host. It starts no processes. Prints its port.
//
// Usage: fleet-server.js HOST-KEY ANSWERS [ssh ARGS...]
// With an ssh command it records: it passes the session on to a real host, and adds the answers to the file.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import ssh2 from 'ssh2'

const [hostKey = '', file = '', ...upstream] = process.argv.slice(2)

/**
 * The outputs of a round trip, by its text and by the number of changes that the host has seen before.
 * @type {Record<string, { readonly stdout: string, readonly stderr: string }>}
 */
const answers = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}

/** Starts a round trip. */
const TRIP = '_s=$_x\n'

/** The number of changes of each host. @type {Map<string, number>} */
const changes = new Map()

/** A session: splits its input into round trips. */
class Session {
  #input = ''
  /** @type {string} */
  #host
  #token = ''
  #proof = ''
  #first = 1

  /** @param {string} host */
  constructor(host) {
    this.#host = host
  }

  /**
   * @param {string} text
   * @returns {Trip | undefined} the round trip that is complete with this text
   */
  push(text) {
    this.#input += text
    if (!this.#token) {
      const [, token = ''] = /^_x=([0-9a-f]{24})$/m.exec(this.#input) ?? []
      const [, a, b] = /\$\(\((\d+) \+ (\d+)\)\)/.exec(this.#input) ?? []
      this.#token = token
      this.#proof = String(Number(a) + Number(b))
    }
    const at = this.#input.lastIndexOf(TRIP)
    if (at < 0 || !/skip'?\)?; fi\n$|_e \d+ skip; fi\n$/.test(this.#input)) return undefined
    const opens = at > 0
    const trip = new Trip(this.#input, {
      token: this.#token,
      proof: this.#proof,
      first: this.#first,
      opens,
      host: this.#host,
    })
    this.#input = ''
    this.#first = trip.last + 1
    return trip
  }
}

class Trip {
  /** @type {{ readonly token: string, readonly proof: string, readonly first: number, readonly opens: boolean, readonly host: string }} */
  #parts
  /** The number of its last frame. */
  last
  /** @type {string} */
  key

  /**
   * @param {string} text
   * @param {{ readonly token: string, readonly proof: string, readonly first: number, readonly opens: boolean, readonly host: string }} parts
   */
  constructor(text, parts) {
    this.#parts = parts
    const { first, host } = parts
    this.last = Math.max(...[...text.matchAll(/_e (\d+) skip/g)].map(([, id]) => Number(id)))
    const frames = text.slice(text.lastIndexOf(TRIP))
    // Numbers of frames and random names differ between sessions.
    const plain = frames
      .replace(/\b_([epl]) (\d+)/g, (_, mark, id) => `_${mark} ${id - first}`)
      .replace(/[0-9a-f]{6,}/g, '#')
    this.changes = /\b_r = 0 \] \|\| _s=/.test(frames)
    const state = changes.get(host) ?? 0
    this.key = `${parts.opens ? 'open' : ''} ${state} ${digest(plain)}`
    if (this.changes) changes.set(host, state + 1)
  }

  /** @param {string} output */
  generic(output) {
    const { token, proof, first } = this.#parts
    return output
      .replaceAll(token, 'TOKEN')
      .replaceAll(` ${proof}`, ' PROOF')
      .replace(/TOKEN ([epsr]) (\d+)/g, (_, mark, id) => `TOKEN ${mark} <${id - first}>`)
  }

  /** @param {string} output */
  own(output) {
    const { token, proof, first } = this.#parts
    return output
      .replace(/TOKEN ([epsr]) <(\d+)>/g, (_, mark, id) => `TOKEN ${mark} ${Number(id) + first}`)
      .replaceAll('TOKEN', token)
      .replaceAll(' PROOF', ` ${proof}`)
  }
}

/** @param {string} text */
function digest(text) {
  let [a, b] = [0, 0]
  for (let i = 0; i < text.length; i++) {
    a = (Math.imul(a, 31) + text.charCodeAt(i)) | 0
    b = (Math.imul(b, 131) ^ text.charCodeAt(i)) | 0
  }
  return `${text.length} ${(a >>> 0).toString(16)}${(b >>> 0).toString(16)}`
}

/** @param {import('ssh2').ServerChannel} channel @param {string} host */
function replay(channel, host) {
  const session = new Session(host)
  channel.on('data', (/** @type {Buffer} */ chunk) => {
    const trip = session.push(chunk.toString('latin1'))
    if (!trip) return
    const answer = answers[trip.key]
    if (!answer) {
      process.stderr.write(`${host}: no answer was recorded for ${trip.key}\n`)
      channel.exit(1)
      channel.end()
      return
    }
    channel.write(Buffer.from(trip.own(answer.stdout), 'latin1'))
    channel.stderr.write(Buffer.from(trip.own(answer.stderr), 'latin1'))
  })
  channel.on('end', () => {
    channel.exit(0)
    channel.end()
  })
}

/** @param {import('ssh2').ServerChannel} channel @param {string} host */
function record(channel, host) {
  const [program = 'ssh', ...args] = upstream
  const shell = spawn(program, args)
  const session = new Session(host)
  /** @type {Trip | undefined} */
  let trip
  const output = { stdout: '', stderr: '' }
  const save = () => {
    if (trip) answers[trip.key] = { stdout: trip.generic(output.stdout), stderr: trip.generic(output.stderr) }
    Object.assign(output, { stdout: '', stderr: '' })
  }
  channel.on('data', (/** @type {Buffer} */ chunk) => {
    shell.stdin.write(chunk)
    const next = session.push(chunk.toString('latin1'))
    if (!next) return
    save()
    trip = next
  })
  channel.on('end', () => shell.stdin.end())
  for (const name of /** @type {const} */ (['stdout', 'stderr']))
    shell[name].on('data', (chunk) => {
      output[name] += chunk.toString('latin1')
      ;(name === 'stdout' ? channel : channel.stderr).write(chunk)
    })
  shell.on('close', (code) => {
    save()
    writeFileSync(file, JSON.stringify(answers))
    channel.exit(code ?? 1)
    channel.end()
  })
}

const server = new ssh2.Server({ hostKeys: [readFileSync(hostKey)] }, (client) => {
  let host = ''
  client.on('error', () => {})
  client.on('authentication', (context) => {
    host = context.username
    context.accept()
  })
  client.on('session', (accept) => {
    accept().on('exec', (take) => {
      const channel = take()
      channel.on('error', () => {})
      if (upstream.length > 0) record(channel, host)
      else replay(channel, host)
    })
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object') console.log(address.port)
})
