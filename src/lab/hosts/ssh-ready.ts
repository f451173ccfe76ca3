import { connect } from 'node:net'

/** The host's kernel takes a connection at once, however slow its programs are. In milliseconds. */
const CONNECT = 1_000
/** A slow host takes its time to start the process that greets; each new connection would start one more. In milliseconds. */
const GREETING = 30_000

/** Whether an sshd says its version there. That it takes a connection is not enough: a frozen host does that too. */
export function sshIsReady(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: 22 })
    const end = (greeted: boolean) => {
      socket.destroy()
      resolve(greeted)
    }
    socket.setTimeout(CONNECT, () => end(false))
    socket.once('connect', () => socket.setTimeout(GREETING))
    socket.once('error', () => end(false))
    socket.once('end', () => end(false))
    socket.once('data', (data) => end(data.toString().startsWith('SSH-')))
  })
}
