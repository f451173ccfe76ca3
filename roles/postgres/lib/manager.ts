import { ask, type Host, type HostAnswer, type Question, read, sh } from 'provision-ts'
import type { Manager } from '../params.ts'

/** The program that starts and stops the server of a host. */
export type Managing = Manager | 'none'

export const manager: Question<Managing> = ask(
  'the manager of its database server',
  read(
    sh`for conf in /etc/postgresql/*/main/postgresql.conf; do
  [ -e "$conf" ] || continue
  first= second=
  { read -r first; read -r second; } < "$conf"
  case $second in *'overwritten by Patroni'*) echo patroni ;; *) echo systemd ;; esac
done
echo end`,
    ({ stdout }) => {
      const lines = stdout.split('\n')
      if (!lines.includes('end')) throw new Error('the host returned an incomplete answer about its database server')
      return lines.includes('patroni') ? 'patroni' : lines.includes('systemd') ? 'systemd' : 'none'
    },
    { shared: true },
  ),
)

/** Returns the manager for the server of a host. A host without a server gets the manager of the other servers. */
export function managerOf({ name }: Pick<Host, 'name'>, all: readonly HostAnswer<Managing>[]): Manager {
  const own = all.find(({ host }) => host.name === name)?.answer
  if (own === 'patroni' || own === 'systemd') return own
  return anyManaged(all) ? 'patroni' : 'systemd'
}

export function anyManaged(all: readonly HostAnswer<Managing>[]): boolean {
  return all.some(({ answer }) => answer === 'patroni')
}
