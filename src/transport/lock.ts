import { Problem } from '../model/problem.ts'
import { quote } from '../text/quote.ts'

/** Who holds a host while it changes it. */
export interface Lock {
  /** Who others should be told of: `ana@laptop (pid 4711)`. */
  readonly owner: string
  /** @default now */
  readonly since?: Date
}

/**
 * The part of the opening that takes the host's lock: `flock` on descriptor 9 of the session's shell, which no script inherits.
 * So it is free when that shell is gone, whatever became of us; the file stays, for the next. Who is not root has one of his own.
 */
export function lockText({ owner, since = new Date() }: Lock): string {
  const line = quote(`${since.toISOString()} ${owner.replace(/\s+/g, ' ')}`)
  return `[ -w /run ] && _l=/run/provision.lock || _l=/tmp/provision-$(id -u).lock
{ [ ! -L $_l ] && true >>$_l; } 2>/dev/null || { _h unlockable $_l; exit 73; }
exec 9<>$_l
if flock -n 9; then printf '%s %s\\n' $$ ${line} >$_l
elif command -v flock >/dev/null; then _t=; read -r _t <$_l; _h held "$_t"; exit 75
else _h flockless; exit 69; fi`
}

/** Why a host cannot be locked, out of what its shell said to {@link lockText}. */
export function lockProblem(host: string, said: string): Problem {
  const [word, ...rest] = said.split(' ')
  if (word === 'unlockable')
    return new Problem(`cannot write ${rest.join(' ')} on ${host}, which would lock it`)
  if (word === 'flockless') return new Problem(`there is no flock on ${host}`, { next: 'Install util-linux' })
  return held(host, rest)
}

function held(host: string, [pid, since = '', ...owner]: readonly string[]): Problem {
  const holder = owner.join(' ') || 'another run'
  const time = Number.isNaN(Date.parse(since)) ? '' : ` since ${new Date(since).toLocaleString('sv')}`
  return new Problem(`${host} is held by ${holder}${time}`, {
    next: `Wait for it to end. A run that died lets go by itself; one whose connection hangs is ended on ${host} by \`kill ${pid || 'PID'}\``,
  })
}
