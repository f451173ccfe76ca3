import { PORT, REPLICATOR } from '../params.ts'
import { PASSFILE, TRUSTED } from './files.ts'

/** How a replica reaches its primary: only one that the authority has signed for this address, and with the password of the file. */
export function conninfo(address: string): string {
  return `host=${address} port=${PORT} user=${REPLICATOR} sslmode=verify-full sslrootcert=${TRUSTED} passfile=${PASSFILE} connect_timeout=5`
}
