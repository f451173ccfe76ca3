import { resource, sh } from 'provision-ts'
import { literal, queryRow } from '../../postgres/lib/psql.ts'
import type { Limits } from '../../postgres/lib/settings.ts'
import { REST } from '../params.ts'

interface LimitsParams {
  readonly wanted: Limits
  /** `raised`: only what the server has less of than wanted. A replica may not have less than its primary, so it comes first. */
  readonly which: 'raised' | 'all'
}

type Found = { readonly all: Partial<Record<string, number>> | null }

/**
 * The server has the limits that Patroni starts it with. They need a restart, which Patroni does: on a primary clients wait for as long.
 */
export const limitsInForce = resource<LimitsParams, Found | undefined>('database limits', {
  id: () => 'active',
  affects: 'itself',
  read: ({ wanted }) =>
    queryRow<Found>(
      `select jsonb_object_agg(name, setting::int) as all from pg_settings where name in (${Object.keys(wanted).map(literal).join(', ')})`,
    ),
  diff: ({ wanted, which }, have) => {
    const fields = Object.entries(wanted).flatMap(([name, value]) => {
      const now = have?.all?.[name]
      return now === undefined || now === value || (which === 'raised' && now > value)
        ? []
        : [{ name, from: String(now), to: String(value) }]
    })
    return fields.length === 0 ? undefined : { action: 'restart', fields }
  },
  apply: () => [
    {
      script: sh`n=0
until said=$(${REST} GET /patroni 2>/dev/null) && case $said in *'"pending_restart": true'*) ;; *) false ;; esac; do
  n=$((n + 1)); [ $n -lt 60 ] || { echo 'Patroni does not ask for a restart.' >&2; exit 1; }
  sleep 0.5
done
said=$(PATRONI_TIMEOUT=100 ${REST} POST /restart '{}') && [ "$(printf '%s\n' "$said" | tail -n 1)" = 200 ] || { printf '%s\n' "$said" >&2; exit 1; }`,
      timeout: '5m',
    },
  ],
})
