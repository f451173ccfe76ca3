/** A thing on a host that a step sets, by the name under which an operator looks for it. */
export interface Thing {
  /** `path`, `package`, `unit`, `port`, `user`, `group`; otherwise the kind of the step. */
  readonly type: string
  /** An absolute path; the name of a package, a unit or a user; a port such as `443`, `53/udp` or `8000-8100`. */
  readonly name: string
  /** True if all paths below this one belong to it. @default false */
  readonly below?: boolean
}

/**
 * True if this text names the thing. A unit may be named without `.service`, a port without `/tcp`. A path also names a thing that all
 * paths below belong to. `TYPE:NAME` names things of one type only.
 */
export function isNamed(thing: Thing, text: string): boolean {
  const { type } = thing
  return matches(thing, text) || (text.startsWith(`${type}:`) && matches(thing, text.slice(type.length + 1)))
}

function matches({ type, name, below = false }: Thing, text: string): boolean {
  if (text === name) return true
  if (type === 'unit') return withoutService(text) === withoutService(name)
  if (type === 'path') return withoutSlash(text) === withoutSlash(name) || (below && text.startsWith(`${name}/`))
  return type === 'port' && containsPort(name, text)
}

function withoutService(unit: string): string {
  return unit.replace(/\.service$/, '')
}

function withoutSlash(path: string): string {
  return path.replace(/(?<=.)\/+$/, '')
}

/** True if `8000-8100` contains `8080`; ports are TCP ports unless they end with `/udp`. */
function containsPort(range: string, text: string): boolean {
  const [ports = '', protocol = 'tcp'] = range.split('/')
  const [wanted = '', wantedProtocol = 'tcp'] = text.split('/')
  if (protocol !== wantedProtocol || !/^\d+$/.test(wanted)) return false
  const [first, last = first] = ports.split('-').map(Number)
  return first !== undefined && last !== undefined && Number(wanted) >= first && Number(wanted) <= last
}
