import { type Shell, sh } from '../../shell/sh.ts'

/** What the file is that keeps services from being started: ours when it holds {@link POLICY_MARKER}. */
export const POLICY = '/usr/sbin/policy-rc.d'
export const POLICY_MARKER = 'by provision'

/**
 * Brings these packages in one transaction, and finishes first what a killed one has left. No service is started: it would run
 * before it is configured.
 *
 * @param names may be none: then it only finishes and tidies
 * @param patience seconds to wait for others' package managers, in all
 */
export function install(names: readonly string[], patience: number): Shell {
  return sh`set -- ${names}
until=$(($(date +%s) + ${patience})) patience=${patience}
${APT}
${GUARD}
free
guard
[ -z "$(ls /var/lib/dpkg/updates)" ] && ! ${HALF_DONE} || {
  say finishing what an interrupted installation has left
  patiently dpkg --force-confdef --force-confold --configure -a || apt install --fix-broken
}
[ $# -gt 0 ] || exit 0
updated=
${FRESH} || { updated=1; apt update && ${NOTED}; }
apt install --no-install-recommends -- "$@" && exit 0
code=$?
case $said in *'Unable to locate package'*|*'Failed to fetch'*|*'Unable to fetch'*|*'no installation candidate'*|*'was not found'*|*'unmet dependencies'*) ;; *) updated=1 ;; esac
[ -z "$updated" ] || {
  dpkg-query -W -f '\${db:Status-Abbrev}|\${Package} is installed all the same\n' -- "$@" 2>/dev/null | sed -n 's/^ii *|//p' >&2
  exit $code
}
apt update && ${NOTED} && apt install --no-install-recommends -- "$@"`
}

/** Learns which versions there are. @param patience as for {@link install} */
export function updateLists(patience: number): Shell {
  return sh`until=$(($(date +%s) + ${patience})) patience=${patience}
${APT}
apt update && ${NOTED}`
}

/** Brings all packages to their newest versions, without removing any. No service is restarted. @param patience as for {@link install} */
export function upgrade(patience: number): Shell {
  return sh`until=$(($(date +%s) + ${patience})) patience=${patience}
${APT}
${GUARD}
free
guard
apt --with-new-pkgs upgrade`
}

/**
 * Downloads these packages in the background, with all that they need, when the host has nothing better to do: nothing else changes. It
 * ends with its session, and after ten minutes at the latest.
 *
 * @param session the process of the session's shell
 */
export function prefetch(names: readonly string[], session: number): Shell {
  return sh`PROVISION_AHEAD=1 setsid sh -c ${AHEAD.text} provision-ahead ${session} ${names} >/dev/null 2>&1 </dev/null &`
}

/** When the lists were last updated by a run. apt itself leaves no trace of an update that found nothing new. */
const UPDATED = '/var/lib/provision/apt-lists'

/** Whether the lists are younger than a day, and nothing below /etc/apt has changed since: a new source, a key, a preference. */
const FRESH = sh`{ lists=$(find /var/lib/apt/lists ${UPDATED} -maxdepth 1 '(' -name '*InRelease' -o -name '*Release' -o -name apt-lists ')' -ctime -1 -printf '%C@ %p\n' 2>/dev/null | sort -rn | head -n 1)
lists=\${lists#* }
[ "$lists" ] && [ -z "$(find /etc/apt -newercc "$lists" 2>/dev/null | head -n 1)" ]; }`

/** To be done after an update that succeeded. */
const NOTED = sh`{ mkdir -p ${UPDATED.slice(0, UPDATED.lastIndexOf('/'))} && : > ${UPDATED}; }`

const HALF_DONE = sh`dpkg-query -W -f ${'${db:Status-Status}\n'} | grep -qvxE 'installed|config-files|not-installed'`

/**
 * It yields to whatever else the machine does. That a session is nice counts for little where Linux shares the processor out by sessions
 * first. The last line ends the whole process group: us, the watcher and its sleep.
 */
const AHEAD = sh`
session=$1; shift
renice -n 19 -p $$; ionice -c 3 -p $$; echo 19 > /proc/$$/autogroup
export DEBIAN_FRONTEND=noninteractive
(n=0; while [ -d /proc/$session ] && [ $n -lt 600 ]; do n=$((n+1)); sleep 1; done; kill -TERM 0) &
${FRESH} || { apt-get -qq update && ${NOTED}; }
apt-get -qq -y -o DPkg::Lock::Timeout=60 --download-only --no-install-recommends install -- "$@"
kill -TERM 0`

/** `holder` sets `who` to the one who holds one of the locks that apt and dpkg take, and to nothing when nobody does. */
export const LOCK_HOLDER = sh`
holder() {
  who=
  for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
    inode=$(stat -c %i $lock 2>/dev/null) || continue
    while read -r _ type _ _ pid place _; do
      case "$type $place" in "POSIX "*":$inode") ;; *) continue ;; esac
      for open in /proc/$pid/fd/*; do
        [ $open -ef $lock ] && { read -r name </proc/$pid/comm; } 2>/dev/null || continue
        case $lock in
          */dpkg/*) who="dpkg lock held by $name, pid $pid" ;;
          */lists/*) who="lock of apt's package lists held by $name, pid $pid" ;;
          *) who="lock of apt's downloads held by $name, pid $pid" ;;
        esac
        ! grep -qsz '^PROVISION_AHEAD=' /proc/$pid/environ || who="download that this run began early, pid $pid"
        return
      done
    done </proc/locks
  done
}`

/**
 * `apt …` and `patiently COMMAND…` wait for whoever holds one of the locks that apt and dpkg take, and say who it is. Apt itself
 * can wait for two of the four only, and dpkg for none; what takes a lock between our look and theirs is met by trying again. A download
 * that was begun early yields no longer when it is waited for.
 */
const APT = sh`
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
errors=$(mktemp) && exec 7>>"$errors" 8<"$errors" && rm -f "$errors" || exit 1
apt() { patiently apt-get -q -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }
patiently() {
  while free; do
    "$@" 2>&7 4>&- 7>&- 8<&-
    code=$?
    said=$(cat <&8)
    [ -z "$said" ] || printf '%s\n' "$said" >&2
    [ $code != 0 ] || return 0
    case $said in
      *'Could not get lock'*|*'Unable to acquire the dpkg frontend lock'*|*'was locked by another process'*) ;;
      *) return $code ;;
    esac
    [ $(date +%s) -lt $until ] || return $code
    sleep 0.3
  done
}
hurry() {
  read -r _ _ _ _ group _ </proc/$pid/stat && { renice -n 0 -g $group; ionice -c 2 -P $group; echo 0 > /proc/$pid/autogroup; }
} >/dev/null 2>&1
free() {
  told=
  while holder; [ "$who" ]; do
    [ $(date +%s) -lt $until ] || {
      echo "The $who, was not let go within $patience s" >&2
      exit 75
    }
    [ "$who" = "$told" ] || say "waiting for $who"
    case $who in download*) hurry ;; esac
    told=$who
    sleep 0.3
  done
  [ -z "$told" ] || say "installing packages"
}
${LOCK_HOLDER}`

/** Says to Debian's maintainer scripts that services are not to be started; a marker tells our file from anybody's. */
const GUARD = sh`
policy=${POLICY}
guard() {
  [ ! -e $policy ] && [ ! -L $policy ] || grep -qs ${POLICY_MARKER} $policy || return 0
  trap unguard EXIT
  printf '#!/bin/sh\n# %s, while it installs packages\ncase $1 in *.timer) exit 0 ;; esac\nexit 101\n' ${POLICY_MARKER} > $policy && chmod 755 $policy || exit 1
}
unguard() { ! grep -qs ${POLICY_MARKER} $policy || rm -f $policy; }`
