// A client of the site in its own process: new and kept-alive connections, GET and POST, each at its own rate. It ends after its
// duration or at input on stdin, and then prints all results as one JSON object.
import { appendFileSync } from 'node:fs'
import https from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * @typedef {object} Order
 * @property {number} port of 127.0.0.1
 * @property {string} name that the certificate is for
 * @property {string[]} authorities that it trusts, as PEM
 * @property {number} seconds after which it ends by itself
 * @property {import('./load.ts').Pace} pace
 * @property {number} requestTimeout milliseconds for one request
 * @property {string} run the beginning of all its idempotency keys
 * @property {string} acknowledged the path of the file that takes the key of each write that was acknowledged
 */

/** @type {Order} */
const order = JSON.parse(process.argv[2] ?? '')
const { pace, authorities: ca } = order

/** @type {{ lane: string, begun: number, ended: number, outcome: string }[]} */
const failures = []
/** @type {{ lane: string, at: number }[]} the time of each good answer, in milliseconds since 1970 */
const answered = []
const asked = { 'new GET': 0, 'new POST': 0, 'kept GET': 0, 'kept POST': 0 }
let pending = 0
/** Less than the 200 connections that a balancer allows one client: what it rejects beyond them would count as failed. */
const MAX_PENDING = 150
let keys = 0
let over = 0
const began = Date.now()

const stop = () => {
  over ||= Date.now()
}
process.stdin.on('data', stop).on('end', stop)
setTimeout(stop, order.seconds * 1000).unref()
const telling = setInterval(() => process.stdout.write(`${JSON.stringify({ asked: total() })}\n`), 200)

await Promise.all([
  paced('new GET', pace.newGet),
  paced('new POST', pace.newPost),
  ...loops('new GET', pace.freshGets),
  ...loops('new POST', pace.freshPosts),
  ...loops('kept GET', pace.keptGets),
  ...loops('kept POST', pace.keptPosts),
])
while (pending > 0) await sleep(20)
clearInterval(telling)
process.stdin.destroy()
process.stdout.write(`${JSON.stringify({ asked, began, over, answered, failures })}\n`)

function total() {
  return Object.values(asked).reduce((sum, one) => sum + one, 0)
}

/**
 * Starts requests at a constant rate, without waiting for earlier ones.
 * @param {keyof typeof asked} lane
 * @param {number} [rate]
 */
async function paced(lane, rate = 0) {
  const began = performance.now()
  for (let beat = 0; rate > 0 && !over; beat++) {
    if (pending < MAX_PENDING) void request(lane, false)
    await sleep(Math.max(0, began + ((beat + 1) * 1000) / rate - performance.now()))
  }
}

/**
 * @param {keyof typeof asked} lane
 * @param {number} [count]
 */
function loops(lane, count = 0) {
  return Array.from({ length: count }, () => loop(lane))
}

/**
 * Sends one request after the other.
 * @param {keyof typeof asked} lane
 */
async function loop(lane) {
  const agent = lane.startsWith('kept') && new https.Agent({ keepAlive: true, maxSockets: 1 })
  while (!over) {
    await request(lane, agent)
    await sleep(pace.pause)
  }
  if (agent) agent.destroy()
}

/**
 * @param {keyof typeof asked} lane
 * @param {https.Agent | false} agent
 */
async function request(lane, agent) {
  const post = lane.endsWith('POST')
  const key = post ? `${order.run}-${++keys}` : ''
  const begun = Date.now()
  asked[lane]++
  pending++
  const outcome = await exchange(post, key, agent)
  pending--
  const ended = Date.now()
  if (outcome === 'ok') {
    answered.push({ lane, at: ended })
    if (post) appendFileSync(order.acknowledged, `${key}\n`)
  } else failures.push({ lane, begun, ended, outcome })
}

/**
 * Resolves to `failed: …` if nothing was done, and to `unknown: …` for a write that may have been done.
 * @param {boolean} post
 * @param {string} key
 * @param {https.Agent | false} agent
 * @returns {Promise<string>}
 */
function exchange(post, key, agent) {
  return new Promise((resolve) => {
    let connected = false
    const broke = (/** @type {string} */ why) => resolve(`${post && connected ? 'unknown' : 'failed'}: ${why}`)
    const one = https.request(
      {
        host: '127.0.0.1',
        port: order.port,
        servername: order.name,
        ca,
        agent,
        method: post ? 'POST' : 'GET',
        path: post ? '/api/notes' : keys % 2 === 0 ? '/' : '/api/whoami',
        headers: {
          host: order.name,
          ...(post && { 'content-type': 'application/json', 'idempotency-key': key }),
        },
      },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text) => {
          body += text
        })
        response.on('error', () => broke('cut off in its answer'))
        response.on('end', () => resolve(judged(post, response.statusCode ?? 0, body)))
      },
    )
    const late = setTimeout(
      () => one.destroy(new Error(`no answer within ${order.requestTimeout} ms`)),
      order.requestTimeout,
    )
    one.on('socket', (socket) => {
      connected = one.reusedSocket
      if (!connected)
        socket.once('secureConnect', () => {
          connected = true
        })
    })
    one.on('error', (error) => broke('code' in error ? String(error.code) : error.message))
    one.on('close', () => clearTimeout(late))
    one.end(post ? JSON.stringify({ text: `proof ${key}` }) : undefined)
  })
}

/**
 * @param {boolean} post
 * @param {number} status
 * @param {string} body
 */
function judged(post, status, body) {
  if (status === (post ? 201 : 200)) return 'ok'
  const surely =
    !post || status < 500 || (status === 503 && !body.includes('"unknown"') && body.includes('Nothing was changed'))
  return `${surely ? 'failed' : 'unknown'}: status ${status}`
}
