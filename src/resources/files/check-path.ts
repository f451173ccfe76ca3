/** What a file system takes as a name and the kernel as a path, in bytes. */
export const LONGEST_NAME = 255
const LONGEST_PATH = 4095

export interface PathRules {
  /** Bytes that the last name may have, where the step makes others from it. @default 255 */
  readonly longest?: number
  /** Whether it may be the root directory. @default false */
  readonly root?: boolean
}

/**
 * Refuses a path that no host can have, or that other steps would write in another way.
 *
 * @param what the step, for the message: `file /etc/motd`
 * @throws TypeError
 */
export function checkPath(
  what: string,
  path: string,
  { longest = LONGEST_NAME, root = false }: PathRules = {},
): void {
  if (root && path === '/') return
  const refuse = (why: string) => {
    throw new TypeError(`${what}: the path ${JSON.stringify(path)} ${why}`)
  }
  if (path.includes('\0')) refuse('has a NUL byte')
  if (!path.startsWith('/')) refuse('is not absolute: begin it with /')
  if (path === '/') refuse('is the root directory')
  if (path.endsWith('/')) refuse('ends with a slash: leave that out')
  if (Buffer.byteLength(path) > LONGEST_PATH) refuse(`has more than ${LONGEST_PATH} bytes`)
  const names = path.slice(1).split('/')
  for (const [i, name] of names.entries()) {
    const most = i === names.length - 1 ? longest : LONGEST_NAME
    if (name === '') refuse('has an empty name: write one slash')
    if (name === '.' || name === '..') refuse(`has the part ${name}: write the path without it`)
    if (Buffer.byteLength(name) > most) refuse(`has a name of more than ${most} bytes`)
  }
}

/**
 * Refuses what cannot be the name of a file.
 *
 * @param what the step and the name's part in it, for the message: `dropIn haproxy.service: the name`
 * @throws TypeError
 */
export function checkName(what: string, name: string): void {
  const refuse = (why: string) => {
    throw new TypeError(`${what} ${JSON.stringify(name)} ${why}`)
  }
  if (name === '') refuse('is empty')
  if (name === '.' || name === '..') refuse('cannot be the name of a file')
  if (/[/\0]/.test(name)) refuse('has a slash or a NUL byte')
  if (Buffer.byteLength(name) > LONGEST_NAME) refuse(`has more than ${LONGEST_NAME} bytes`)
}

/**
 * A mode as four octal digits.
 *
 * @param what the step, for the message
 * @throws TypeError for anything but three or four octal digits
 */
export function checkedMode(what: string, mode: string): string {
  if (!/^[0-7]{3,4}$/.test(mode))
    throw new TypeError(`${what}: the mode "${mode}" is not three or four octal digits, such as 0644`)
  return mode.padStart(4, '0')
}
