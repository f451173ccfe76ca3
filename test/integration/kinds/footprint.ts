import type { StepResult } from '../../support/plan-and-run.ts'

/**
 * A shell script that prints everything that the sites of the test can change on a host, one per line: name, tab, state.
 * The state of a file includes its modification time, so each write changes it.
 */
export const FOOTPRINT = `
state='%p\\t%y %m %u:%g %s %l %i %C@\\n' dir='%p\\t%y %m %u:%g\\n'
for path in /srv/kinds /etc/systemd/system /etc/sysctl.d /etc/cron.d /etc/nftables.d /etc/sudoers.d /usr/local/share/ca-certificates /var/lib/provision/removed; do
  [ ! -e "$path" ] || find "$path" \\( -path '*/releases/*' -type d -printf '%p\\t%y %m %u:%g %T@\\n' \\) -o \\( -type d -printf "$dir" \\) -o -printf "$state"
done
# What a link leads to belongs to it.
find -L /srv/kinds/files -printf "$state" 2>/dev/null
dpkg-query -W -f 'package \${Package}\\t\${Version} \${Status}\\n'
apt-mark showmanual | sed 's/$/\\tmanual/'
getent passwd | while IFS=: read -r name rest; do printf 'user %s\\t%s %s\\n' "$name" "$rest" "$(id -Gn "$name")"; done
getent shadow | sed 's/^\\([^:]*\\):/user \\1\\t/'
getent group | while IFS=: read -r name _ id _; do printf 'group %s\\t%s\\n' "$name" "$id"; done
for unit in kinds-a kinds-b kinds-static kinds-transaction kinds-timer.timer kinds-masked provision-firewall systemd-tmpfiles-clean.timer; do
  printf 'service %s\\t%s\\n' "$unit" "$(systemctl show -p LoadState,ActiveState,UnitFileState,MainPID "$unit" | tr '\\n' ' ')"
done
grep -s '' /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/*/accept_redirects /proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv4/tcp_fin_timeout /proc/sys/net/ipv4/ip_local_port_range | sed 's/:/\\t/'
readlink /etc/localtime | sed 's/^/time zone\\t/'
sed 's/^/hosts\\t/' /etc/hosts /etc/hostname /etc/default/locale /etc/fstab
readlink /etc/alternatives/kinds | sed 's/^/alternatives kinds\\t/'
grep ' /srv/kinds-mount ' /proc/self/mountinfo | cut -d ' ' -f 5- | sed 's/^/mounts\\t/'
printf 'firewall\\t%s\\n' "$(nft -s list ruleset 2>/dev/null | sha256sum)"
cat /run/kinds-reported 2>/dev/null | sed 's/$/\\thandler/'
:`

/** A shell script that prints what a run must not leave behind. */
export const LEFT = `
find /var/lib/provision/pending-handlers /var/lib/provision/drains /var/lib/provision/transactions -mindepth 1 2>/dev/null
find /srv/kinds /etc /usr/local /var/lib -xdev -name '.*.provision-????????' -o -path '/srv/kinds/*/releases/*.incoming' ! -name '0123456789ab.incoming'
ls -d /run/provision-*.awaited /run/provision-*.come /run/kinds-out /usr/sbin/policy-rc.d 2>/dev/null
find /etc/systemd/system -name 'provision-rollback*'
:`

/** The state of each name. Lines with the same name are joined. */
export function statesOf(footprint: string): ReadonlyMap<string, string> {
  const states = new Map<string, string>()
  for (const line of footprint.split('\n')) {
    const cut = line.indexOf('\t')
    if (cut === -1) continue
    const name = line.slice(0, cut)
    states.set(name, `${states.get(name) ?? ''}${line.slice(cut + 1)}\n`)
  }
  return states
}

/** The names whose states differ, with both states. */
export function differences(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => `${name}: ${before.get(name) ?? 'nothing'} -> ${after.get(name) ?? 'nothing'}`)
}

/** Returns the deviations of a host from the plan. A subject of several steps must stay unchanged only if all of them are ok. */
export function surprises(
  planned: readonly StepResult[],
  { before, after }: Readonly<Record<'before' | 'after', ReadonlyMap<string, string>>>,
): readonly string[] {
  const steps = planned.flatMap((step) => {
    const subject = subjectOf(step.name)
    return subject === undefined ? [] : [{ ...step, subject }]
  })
  const subjects = [...new Set(steps.map(({ subject }) => subject))]
  return subjects.flatMap((subject) => {
    const about = steps.filter((one) => one.subject === subject)
    const same = before.get(subject) === after.get(subject)
    const states = `${before.get(subject) ?? 'nothing'} -> ${after.get(subject) ?? 'nothing'}`
    if (about.every(({ outcome }) => outcome === 'ok') && !same)
      return [`${subject} is to stay, but changed: ${states}`]
    return about.some(({ known }) => known) && same ? [`${subject} is to change, but stayed: ${states}`] : []
  })
}

/** The name in a footprint that a step of this kind changes; undefined if that is not exactly one. */
function subjectOf(step: string): string | undefined {
  const [, kind, name = ''] =
    /: (file|directory|link|absent|concat|copied|line|block|replace|setting|user|group|service|cron) (.*)$/.exec(
      step,
    ) ?? []
  if (kind === undefined) return undefined
  const bare = name.replace(/ on web1$/, '')
  if (['line', 'block', 'replace', 'setting'].includes(kind)) return bare.slice(0, bare.indexOf(': '))
  return bare.startsWith('/') ? bare : `${kind} ${bare}`
}
