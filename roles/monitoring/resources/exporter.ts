import { file, handler, http, pkg, type Step, type Steps, service, sh, transaction } from 'provision-ts'

interface ExporterOptions {
  /** The unit and the package. */
  readonly unit: string
  readonly url: string
  readonly args: readonly string[]
  /** Further lines of `/etc/default/<unit>`. @default none */
  readonly environment?: readonly string[]
  /** Files that the exporter reads at its start. @default none */
  readonly files?: readonly Step[]
}

/** An exporter of Debian, which reads its options from `/etc/default`. */
export function exporter({ unit, url, args, environment = [], files = [] }: ExporterOptions): Steps {
  const lines = ['# Written by provision; changes by hand are lost.', ...environment, `ARGS="${args.join(' ')}"`]
  return [
    pkg(unit),
    transaction(
      `${unit} configuration`,
      [...files, file(`/etc/default/${unit}`, `${lines.join('\n')}\n`, { backup: true })],
      {
        activate: handler(`restart ${unit}`, sh`systemctl restart ${unit}`),
        probe: http(`${url}/metrics`),
      },
    ),
    service(unit),
  ]
}
