import { createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Runs work under a lock of this machine. The lock is an abstract socket of that name: the kernel releases it when its owner dies, so it
 * cannot be stale.
 */
export async function locked<T>(
  { name, waiting }: { readonly name: string; readonly waiting?: () => void },
  work: () => Promise<T>,
): Promise<T> {
  let lock = await take(name)
  if (!lock) waiting?.()
  while (!lock) {
    await sleep(50)
    lock = await take(name)
  }
  try {
    return await work()
  } finally {
    lock.close()
  }
}

function take(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const lock = createServer((caller) => caller.destroy())
    lock.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    lock.listen(`\0provision-lab/${name}`, () => resolve(lock))
  })
}
