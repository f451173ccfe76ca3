interface JumpAddress {
  readonly host: string
  readonly port?: number
  readonly user?: string
}

/**
 * The hosts of a ProxyJump: `[user@]host[:port]` or `ssh://…`, separated by commas; none for `none`. Any other text is treated as a host
 * name.
 */
export function jumpsIn(value: string | undefined): readonly JumpAddress[] {
  if (value === undefined || value.toLowerCase() === 'none') return []
  return value.split(',').map((part) => jump(part.trim()))
}

function jump(text: string): JumpAddress {
  const plain = text.replace(/^ssh:\/\//, '').replace(/\/$/, '')
  const at = plain.lastIndexOf('@')
  const user = at === -1 ? undefined : plain.slice(0, at)
  const place = plain.slice(at + 1)
  const [, inBrackets, named, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(place) ?? []
  return {
    // The rest is an IPv6 address without brackets.
    host: inBrackets ?? named ?? place,
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(user === undefined ? {} : { user }),
  }
}
