import { createServer, type Server, Socket } from 'node:net'

/** What the supervisor asks of its helper in the machine's own network. */
export type OutsideRequest =
  | { readonly id: number; readonly kind: 'listen'; readonly port: number }
  | { readonly id: number; readonly kind: 'connect'; readonly host: string; readonly port: number }

/** Comes with the socket, or says why there is none. */
export type OutsideReply = { readonly id: number; readonly port?: number; readonly error?: string }

/**
 * The helper: makes sockets in the network namespace that it runs in, and hands them to the supervisor, which lives in
 * another one. A socket stays in the namespace where it was made, whoever holds it.
 */
export function serveOutside(): void {
  process.on('message', (request: OutsideRequest) => {
    const reply = (rest: Omit<OutsideReply, 'id'>, handle?: Server | Socket) => {
      process.send?.(
        { id: request.id, ...rest },
        handle,
        undefined,
        () => handle instanceof Socket || handle?.close(),
      )
    }
    if (request.kind === 'listen') listen(request.port, reply)
    else connect(request, reply)
  })
  process.on('disconnect', () => process.exit())
}

type Reply = (rest: Omit<OutsideReply, 'id'>, handle?: Server | Socket) => void

/** On the port that is asked for, or on any other when that is taken. */
function listen(port: number, reply: Reply): void {
  const server = createServer()
  server.once('error', (error) => {
    if (port === 0) reply({ error: error.message })
    else listen(0, reply)
  })
  server.listen({ port, host: '127.0.0.1' }, () => {
    const address = server.address()
    reply({ port: typeof address === 'object' ? (address?.port ?? 0) : 0 }, server)
  })
}

function connect({ host, port }: { readonly host: string; readonly port: number }, reply: Reply): void {
  const socket = new Socket()
  socket.once('error', (error) => reply({ error: error.message }))
  socket.once('connect', () => reply({}, socket))
  socket.connect({ host, port })
}
