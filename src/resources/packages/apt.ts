import { type Shell, sh } from '../../shell/sh.ts'

/** Prevents that packages start services. The file is ours if it contains {@link POLICY_MARKER}. */
export const POLICY = '/usr/sbin/policy-rc.d'
export const POLICY_MARKER = 'by provision'

interface Installation {
  /** May be empty, to complete an interrupted installation. */
  readonly names: readonly string[]
  /** The names with versions, as apt takes them: `nginx=1.22.*`. @default the names */
  readonly words?: readonly string[]
  /** Seconds to wait for other package managers, in total. */
  readonly lockTimeout: number
  /** Options of apt. @default none */
  readonly options?: readonly string[]
  /** Runs before the installation, with the locks free. @default nothing */
  readonly before?: Shell
  /** True if the installation may remove other packages. @default false */
  readonly removes?: boolean
}

/**
 * Installs packages in one transaction, after it has completed an interrupted one. No service is started, since it is not configured
 * yet.
 */
export function install({
  names,
  words = names,
  lockTimeout,
  options = [],
  before = sh`:`,
  removes = false,
}: Installation): Shell {
  const all = ['--no-install-recommends', ...(removes ? [] : ['--no-remove']), ...options]
  return sh`set -- ${words}
until=$(($(date +%s) + ${lockTimeout})) lock_timeout=${lockTimeout}
${APT}
${GUARD}
free
guard
${before} || exit
[ -z "$(ls /var/lib/dpkg/updates)" ] && ! ${HALF_DONE} || {
  say completing an interrupted installation
  with_locks dpkg --force-confdef --force-confold --configure -a || apt install --fix-broken
}
[ $# -gt 0 ] || exit 0
updated=
${FRESH} || { updated=1; apt update && ${RECORD_UPDATE}; }
apt install ${all} -- "$@" && exit 0
code=$?
case $output in *'Unable to locate package'*|*'Failed to fetch'*|*'Unable to fetch'*|*'no installation candidate'*|*'was not found'*|*'unmet dependencies'*) ;; *) updated=1 ;; esac
[ -z "$updated" ] || {
  [ $# != ${names.length} ] || dpkg-query -W -f '\${db:Status-Abbrev}|\${Package} was installed anyway\n' -- ${names} 2>/dev/null | sed -n 's/^ii *|//p' >&2
  exit $code
}
apt update && ${RECORD_UPDATE} && apt install ${all} -- "$@"`
}

/**
 * Removes packages, and no others: apt is asked again first, since the state of the host may have changed. Services are stopped.
 *
 * @param names those that are installed, or with `purge` have configuration files
 */
export function remove(names: readonly string[], wish: 'remove' | 'purge', lockTimeout: number): Shell {
  return sh`set -- ${names}
until=$(($(date +%s) + ${lockTimeout})) lock_timeout=${lockTimeout}
${APT}
${GUARD}
free
unguard
plan=$(LC_ALL=C apt-get -s -qq -o Debug::NoLocking=1 -o APT::Get::AutomaticRemove=0 ${wish} -- "$@" 2>&1) || { printf '%s\n' "$plan" >&2; exit 1; }
others=$(printf '%s\n' "$plan" | sed -n 's/^\(Remv\|Purg\|Inst\) \([^ ]*\).*/\2/p' | while read -r one; do
  for name; do [ "$one" != "$name" ] && [ "$one" != "\${name%%:*}" ] || continue 2; done
  echo "$one"
done)
[ -z "$others" ] || { echo "apt would now change other packages, too:" $others >&2; exit 1; }
apt -o APT::Get::AutomaticRemove=0 ${wish} -- "$@"`
}

/** Updates the package lists. @param lockTimeout as for {@link install} */
export function updateLists(lockTimeout: number): Shell {
  return sh`until=$(($(date +%s) + ${lockTimeout})) lock_timeout=${lockTimeout}
${APT}
apt update && ${RECORD_UPDATE}`
}

/** Upgrades all packages; removes none and restarts no service. @param lockTimeout as for {@link install} */
export function upgrade(lockTimeout: number): Shell {
  return sh`until=$(($(date +%s) + ${lockTimeout})) lock_timeout=${lockTimeout}
${APT}
${GUARD}
free
guard
apt --with-new-pkgs upgrade`
}

/**
 * Downloads packages and their dependencies in the background at the lowest priority. Ends with the session, or after ten minutes.
 *
 * @param session the process id of the session's shell
 */
export function prefetch(names: readonly string[], session: number): Shell {
  return sh`PROVISION_PREFETCH=1 setsid sh -c ${PREFETCH.text} provision-prefetch ${session} ${names} >/dev/null 2>&1 </dev/null &`
}

/** Its time is the last update of the lists by a run: apt does not record an update that found nothing new. */
const UPDATED = '/var/lib/provision/apt-lists'

/** True if the lists are younger than this and nothing below /etc/apt has changed since (a source, a key, a preference). */
function youngerThan(age: Shell): Shell {
  return sh`{ lists=$(find /var/lib/apt/lists ${UPDATED} -maxdepth 1 '(' -name '*InRelease' -o -name '*Release' -o -name apt-lists ')' ${age} -printf '%C@ %p\n' 2>/dev/null | sort -rn | head -n 1)
lists=\${lists#* }
[ "$lists" ] && [ -z "$(find /etc/apt -newercc "$lists" 2>/dev/null | head -n 1)" ]; }`
}

/** True if an installation can use the lists as they are. */
export const FRESH = youngerThan(sh`-ctime -1`)

/** True if the newest versions are known. */
export const UPDATED_LATELY = youngerThan(sh`-cmin -60`)

export const RECORD_UPDATE = sh`{ mkdir -p ${UPDATED.slice(0, UPDATED.lastIndexOf('/'))} && : > ${UPDATED}; }`

const HALF_DONE = sh`dpkg-query -W -f ${'${db:Status-Status}\n'} | grep -qvxE 'installed|config-files|not-installed'`

/**
 * Sets the priority of the autogroup too: Linux shares the processor between sessions first. The last line ends the process group with
 * the watching process and its sleep.
 */
const PREFETCH = sh`
session=$1; shift
renice -n 19 -p $$; ionice -c 3 -p $$; echo 19 > /proc/$$/autogroup
export DEBIAN_FRONTEND=noninteractive
(n=0; while [ -d /proc/$session ] && [ $n -lt 600 ]; do n=$((n+1)); sleep 1; done; kill -TERM 0) &
${FRESH} || { apt-get -qq update && ${RECORD_UPDATE}; }
apt-get -qq -y -o DPkg::Lock::Timeout=60 --download-only --no-install-recommends install -- "$@"
kill -TERM 0`

/** Defines `holder`, which sets `who` to the holder of a lock of apt or dpkg, or to nothing. */
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
        ! grep -qsz '^PROVISION_PREFETCH=' /proc/$pid/environ || who="download that this run started early, pid $pid"
        return
      done
    done </proc/locks
  done
}`

/**
 * Defines `apt …` and `with_locks COMMAND…`, which wait for the locks of apt and dpkg and report their holder. apt itself waits for two
 * of the four locks, dpkg for none. If another process takes a lock in between, the command is retried. A prefetch that is waited for
 * gets normal priority.
 */
export const APT = sh`
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
errors=$(mktemp) && exec 7>>"$errors" 8<"$errors" && rm -f "$errors" || exit 1
apt() { with_locks apt-get -q -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }
with_locks() {
  while free; do
    "$@" 2>&7 4>&- 7>&- 8<&-
    code=$?
    output=$(cat <&8)
    [ -z "$output" ] || printf '%s\n' "$output" >&2
    [ $code != 0 ] || return 0
    case $output in
      *'Could not get lock'*|*'Unable to acquire the dpkg frontend lock'*|*'was locked by another process'*) ;;
      *) return $code ;;
    esac
    [ $(date +%s) -lt $until ] || return $code
    sleep 0.3
  done
}
raise_priority() {
  read -r _ _ _ _ group _ </proc/$pid/stat && { renice -n 0 -g $group; ionice -c 2 -P $group; echo 0 > /proc/$pid/autogroup; }
} >/dev/null 2>&1
free() {
  reported=
  while holder; [ "$who" ]; do
    [ $(date +%s) -lt $until ] || {
      echo "The $who, was not released within $lock_timeout s" >&2
      exit 75
    }
    [ "$who" = "$reported" ] || say "waiting for $who"
    case $who in download*) raise_priority ;; esac
    reported=$who
    sleep 0.3
  done
  [ -z "$reported" ] || say "installing packages"
}
${LOCK_HOLDER}`

/** Makes Debian's maintainer scripts start no services. Leaves a policy of the administrator in place. */
const GUARD = sh`
policy=${POLICY}
guard() {
  [ ! -e $policy ] && [ ! -L $policy ] || grep -qs ${POLICY_MARKER} $policy || return 0
  trap unguard EXIT
  printf '#!/bin/sh\n# %s, while it installs packages\ncase $1 in *.timer) exit 0 ;; esac\nexit 101\n' ${POLICY_MARKER} > $policy && chmod 755 $policy || exit 1
}
unguard() { ! grep -qs ${POLICY_MARKER} $policy || rm -f $policy; }`
