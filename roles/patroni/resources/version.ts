import { InvalidParams, read, resource, sh } from 'provision-ts'
import { OLDEST } from '../params.ts'

/** A step that changes nothing. It refuses the run, before any host is changed, where Patroni would be too old. */
export const recentPatroni = resource<object, string | undefined>('patroni version', {
  id: () => `${OLDEST.join('.')} or later`,
  affects: 'itself',
  canWaitForPackages: true,
  read: () =>
    read(
      sh`
version=$(dpkg-query -W -f '\${db:Status-Status} \${Version}' patroni 2>/dev/null)
case $version in
  'installed '*) printf '%s\n' "\${version#installed }" ;;
  *) apt-cache policy patroni 2>/dev/null | sed -n 's/^ *Candidate: *//p' ;;
esac`,
      ({ stdout }) => stdout.trim() || undefined,
      { fakeValue: () => OLDEST.join('.') },
    ),
  diff: (_params, version) => {
    // A host without package lists reports the version at the installation.
    if (version === undefined || version === '(none)' || isRecent(version)) return undefined
    throw new InvalidParams(`Patroni ${version} is too old for automatic failover.`, {
      where: 'db.failover',
      details: [
        `Before ${OLDEST.join('.')} a primary that was frozen resumes its role, and acknowledged writes are lost.`,
      ],
      next: "Take Debian 13, or a newer Patroni from another source of packages; or leave failover at 'manual'. Nothing was changed on any host.",
    })
  },
  apply: () => [],
})

export function isRecent(version: string): boolean {
  const [, major, minor] = /^(?:\d+:)?(\d+)\.(\d+)/.exec(version) ?? []
  const [wantedMajor, wantedMinor] = OLDEST
  return Number(major) > wantedMajor || (Number(major) === wantedMajor && Number(minor) >= wantedMinor)
}
