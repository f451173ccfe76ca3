// Bare ssh2: logs in to all hosts at once, runs a script on each, and disconnects.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import ssh2 from 'ssh2'

// Only logs in without a script.
const [hosts = '', script, command = 'sudo -n sh -s'] = process.argv.slice(2)
/** @type {Readonly<Record<string, { readonly ssh: { readonly host: string, readonly port: number, readonly user: string, readonly identityFile: string } }>>} */
const all = JSON.parse(readFileSync(hosts, 'utf8'))
const text = script && readFileSync(script)
let left = Object.keys(all).length

for (const { ssh } of Object.values(all)) {
  const client = new ssh2.Client()
  client.on('ready', () => {
    if (!text) {
      client.end()
      left--
      return
    }
    client.exec(command, (error, channel) => {
      if (error) throw error
      channel.resume().stderr.resume()
      channel.on('close', () => {
        client.end()
        left--
      })
      channel.end(text)
    })
  })
  client.connect({
    sock: connect({ host: ssh.host, port: ssh.port, noDelay: true }),
    username: ssh.user,
    privateKey: readFileSync(ssh.identityFile),
    // Without the method none, which only asks for the methods; our transport does the same.
    authHandler: ['publickey'],
  })
}
process.on('exit', () => {
  if (left > 0) process.exitCode = 1
})
