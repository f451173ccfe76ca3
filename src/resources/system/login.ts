import { read } from '../../model/resource/read.ts'
import { sh } from '../../shell/sh.ts'

/** The SSH login of this session. */
export interface Login {
  readonly user: string | undefined
  /** The address of the client, which may be a jump host. */
  readonly address: string
}

/** Sets $files to the environments of the parent processes, from the shell to the first one. */
export const ENVIRONMENTS = sh`
process=$$ files=
while [ "\${process:-0}" -gt 1 ] && read -r stat <"/proc/$process/stat"; do
  files="$files /proc/$process/environ"
  set -- \${stat##*") "}
  process=$2
done`

/** The login of this session; undefined without ssh. Read from parent processes: sudo removes the variables. */
export const login = read(
  sh`${ENVIRONMENTS}
grep -saozH '^\(SSH_CONNECTION\|USER\)=[^ ]*' $files`,
  ({ stdout }): Login | undefined => {
    const found = stdout.split('\0').map((one) => /^(\/proc\/\d+\/environ):(\w+)=(.*)$/.exec(one) ?? [])
    const [, file, , address = ''] = found.find(([, , name]) => name === 'SSH_CONNECTION') ?? []
    if (address === '') return undefined
    return { address, user: found.find(([, from, name]) => from === file && name === 'USER')?.[3] }
  },
  { shared: true, dependsOn: [], fakeValue: () => undefined },
)
