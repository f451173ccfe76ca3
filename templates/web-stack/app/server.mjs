import { createServer } from 'node:http'
import { hostname } from 'node:os'

const server = createServer(({ url }, response) => {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(url === '/health' ? 'ok\n' : `Hello from ${hostname()}, release ${process.env['RELEASE'] ?? 'none'}.\n`)
})

server.listen(Number(process.env['PORT'] ?? 3000), process.env['HOST'] ?? '127.0.0.1')

process.once('SIGTERM', () => {
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
