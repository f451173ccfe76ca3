// An SSH server whose logins are shells on this machine. Prints its port.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import ssh2 from 'ssh2'

const [hostKey = ''] = process.argv.slice(2)
const server = new ssh2.Server({ hostKeys: [readFileSync(hostKey)] }, (client) => {
  client.on('error', () => {})
  client.on('authentication', (context) => context.accept())
  client.on('session', (accept) => {
    accept().on('exec', (take, _refuse, { command }) => {
      const channel = take()
      const shell = spawn('sh', ['-c', command])
      channel.on('error', () => {})
      channel.pipe(shell.stdin).on('error', () => {})
      shell.stdout.pipe(channel, { end: false })
      shell.stderr.pipe(channel.stderr, { end: false })
      shell.on('close', (code) => {
        channel.exit(code ?? 1)
        channel.end()
      })
    })
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object') console.log(address.port)
})
