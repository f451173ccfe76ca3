import { PORT, REPLICATOR } from '../params.ts'
import { PASSFILE, TRUSTED } from './files.ts'

/** The connection of a replica to its primary. It verifies the certificate for the address, and reads the password from a file. */
export function conninfo(address: string): string {
  return `host=${address} port=${PORT} user=${REPLICATOR} sslmode=verify-full sslrootcert=${TRUSTED} passfile=${PASSFILE} connect_timeout=5`
}
