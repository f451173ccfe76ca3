import { api, type Generator } from './api.ts'

/** An unpacked archive that is missing, complete or of another archive, and a script that was run or not. */
export const archives: Generator = (dice, site) => {
  const archive = api.localFile(import.meta, '../repository/tool.tar.gz')
  const made = '/srv/kinds/made-by-script'
  return {
    found: dice.one(
      ':',
      'rm -rf /srv/kinds/unpacked',
      `rm -f ${made}`,
      'echo "0 strip=0 root:root" >/srv/kinds/unpacked/.provision-unpacked',
    ),
    steps: [
      api.unpack('/srv/kinds/unpacked', archive, { strip: dice.one(0, 1), ...site.options() }),
      api.directory('/srv/kinds'),
      api.script('make', api.localFile(import.meta, '../repository/make.sh'), {
        args: [made],
        creates: made,
        ...site.options(),
      }),
    ],
  }
}
