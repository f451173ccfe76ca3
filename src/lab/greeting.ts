import { connect } from 'node:net'

/** Whether an sshd says its version there. That it takes a connection is not enough: a frozen host does that too. */
export function sshGreets(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: 22 })
    const end = (greeted: boolean) => {
      socket.destroy()
      resolve(greeted)
    }
    socket.setTimeout(1000, () => end(false))
    socket.once('error', () => end(false))
    socket.once('end', () => end(false))
    socket.once('data', (data) => end(data.toString().startsWith('SSH-')))
  })
}
