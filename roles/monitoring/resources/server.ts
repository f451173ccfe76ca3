import {
  file,
  pkg,
  probe,
  reloaded,
  type Secret,
  type Shell,
  type Step,
  type Steps,
  service,
  sh,
  transaction,
} from 'provision-ts'

interface ServerParams {
  /** The unit and the package. */
  readonly unit: 'prometheus' | 'prometheus-alertmanager'
  /** The prefix of its metrics about reloads. */
  readonly metrics: 'prometheus' | 'alertmanager'
  /** Its own address. */
  readonly url: string
  readonly args: readonly string[]
  readonly files: readonly ServerFile[]
  /** Checks the files, which it sees at their final paths. */
  readonly validate: Shell
}

interface ServerFile {
  readonly path: `/${string}`
  readonly content: string | Secret
}

/** Debian's service with a configuration that is valid and active, or rolled back. */
export function server({ unit, metrics, url, args, files, validate }: ServerParams): Steps {
  const defaults = `/etc/default/${unit}` as const
  const config: readonly Step[] = files.map(({ path, content }) =>
    file(path, content, { group: 'prometheus', mode: '0640', backup: true }),
  )
  return [
    pkg(unit),
    file(defaults, `# Written by provision; changes by hand are lost.\nARGS="${args.join(' ')}"\n`),
    service(unit, { restartedWhen: [defaults] }),
    transaction(`${unit} configuration`, config, {
      validate,
      activate: reloaded(unit),
      probe: isLoaded({ unit, metrics, url, paths: files.map(({ path }) => path) }),
    }),
  ]
}

/** A reload returns before the files are read. The metrics show when that happened. */
function isLoaded({
  unit,
  metrics,
  url,
  paths,
}: Pick<ServerParams, 'unit' | 'metrics' | 'url'> & { readonly paths: readonly string[] }) {
  return probe(
    `${unit} uses the new configuration`,
    sh`
said=$(curl -fsS --max-time 5 ${`${url}/metrics`}) || exit 1
changed=$(stat -c %Y ${paths} | sort -n | tail -n 1)
printf '%s\n' "$said" | awk -v changed="$changed" -v name=${`${metrics}_config_last_reload_success`} '
  $1 == name "ful" { good = $2 == 1 }
  $1 == name "_timestamp_seconds" { since = $2 + 1 }
  END { exit !(good && since >= changed) }
' || { echo 'it has not loaded the files'; journalctl -q --no-pager -o cat -n 3 -u ${unit}; exit 1; }`,
  )
}
