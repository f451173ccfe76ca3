import { type Command, type Shell, sh } from 'provision-ts'

interface WaitForQuery {
  /** A query that returns `t` at the end of the wait. */
  readonly query: string
  /** A script that prints the reason on a timeout. It may use `"$psql"`. */
  readonly otherwise: Shell
}

/** Waits up to 30 s for an answer of the server on the host. */
export function waitForQuery({ query, otherwise }: WaitForQuery): Command {
  return {
    script: sh`
psql=$(ls -d /usr/lib/postgresql/*/bin/psql | tail -n 1)
export PGHOST=/run/postgresql PGPORT=5432 PGCONNECT_TIMEOUT=5
query=${query}
end=$(($(date +%s) + 30))
until [ "$("$psql" -XAtqw -d postgres -c "$query" 2>/dev/null)" = t ]; do
  [ "$(date +%s)" -lt "$end" ] || {
    ${otherwise}
    exit 1
  } >&2
  sleep 0.2
done`,
    as: 'postgres',
    timeout: '2m',
  }
}
