// Writes notes until /run/load.stop exists, and then writes the results to /run/load.json. Runs on a host of the lab.
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import http from 'node:http'

const [url = '', rest = '5'] = process.argv.slice(2)
/** @type {string[]} */
const acknowledged = []
/** @type {string[]} */
const failed = []
/** @type {number | undefined} */
let last
let gap = { ms: 0, until: '' }

/**
 * @param {http.Agent} agent
 * @param {string} key
 * @returns {Promise<{ status: number | undefined, said: string }>}
 */
function post(agent, key) {
  const body = JSON.stringify({ text: key })
  const headers = { 'content-type': 'application/json', 'idempotency-key': key }
  return new Promise((done) => {
    const request = http.request(url, { method: 'POST', agent, timeout: 12_000, headers }, (response) => {
      let said = ''
      response.on('data', (chunk) => {
        said += chunk
      })
      response.on('end', () => done({ status: response.statusCode, said }))
      response.on('error', (error) => done({ status: 0, said: String(error) }))
    })
    request.on('timeout', () => request.destroy(new Error('no answer within 12 s')))
    request.on('error', (error) => done({ status: 0, said: String(error) }))
    request.end(body)
  })
}

/** @param {number} number */
async function client(number) {
  const kept = new http.Agent({ keepAlive: true })
  for (let n = 0; !existsSync('/run/load.stop'); n++) {
    const key = `${process.pid}-${number}-${n}-${Date.now()}`
    const began = performance.now()
    const { status, said } = await post(number % 2 ? kept : new http.Agent(), key)
    const now = performance.now()
    const time = new Date().toISOString()
    if (status === 201) {
      acknowledged.push(key)
      const ms = Math.round(now - (last ?? now))
      if (ms > gap.ms) gap = { ms, until: time }
      last = now
      if (acknowledged.length === 20) writeFileSync('/run/load.begun', '')
      if (acknowledged.length % 5 === 0) writeFileSync('/run/load.count', String(acknowledged.length))
    } else failed.push(`${time} after ${Math.round(now - began)} ms: ${status} ${said.slice(0, 200)}`)
    await new Promise((done) => setTimeout(done, Number(rest)))
  }
}

await Promise.all([0, 1, 2, 3].map(client))
// Clients may not have written again.
const end = Math.round(performance.now() - (last ?? 0))
if (end > gap.ms) gap = { ms: end, until: new Date().toISOString() }
writeFileSync('/run/load.new', JSON.stringify({ acknowledged, failed, gap: gap.ms, gapUntil: gap.until }))
renameSync('/run/load.new', '/run/load.json')
