import type { Target } from './wire.ts'

/** The hosts that a ProxyJump names: `[user@]host[:port]` or `ssh://…`, with commas between them. */
export function jumpsIn(value: string | undefined): readonly Target[] {
  return value === undefined ? [] : value.split(',').map((part) => jump(part.trim()))
}

function jump(text: string): Target {
  const plain = text.replace(/^ssh:\/\//, '').replace(/\/$/, '')
  const at = plain.lastIndexOf('@')
  const user = at === -1 ? undefined : plain.slice(0, at)
  const place = plain.slice(at + 1)
  const [, bracketed, named, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(place) ?? []
  // What is left is an IPv6 address without brackets.
  const host = bracketed ?? named ?? place
  return {
    name: host,
    host,
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(user === undefined ? {} : { user }),
  }
}
