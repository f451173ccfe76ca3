/**
 * Checks of arguments. An argument that is wrong on any host is a TypeError, thrown where the step is made; a run shows it with the line
 * of the caller. A Problem in this folder is about this machine or about the state of a host.
 */

/** The longest name that file systems take, in bytes. */
export const LONGEST_NAME = 255
/** The longest path that the kernel takes, in bytes. */
const LONGEST_PATH = 4095

interface PathRules {
  /** The longest last name, in bytes, for steps that derive other names from it. @default 255 */
  readonly longest?: number
  /** Allows the root directory. @default false */
  readonly root?: boolean
}

/**
 * Rejects a path that cannot exist, or that other steps may spell differently.
 *
 * @param what the step, for the message: `file /etc/motd`
 * @throws TypeError
 */
export function checkPath(what: string, path: string, { longest = LONGEST_NAME, root = false }: PathRules = {}): void {
  if (root && path === '/') return
  const reject = (why: string) => {
    throw new TypeError(`${what}: the path ${JSON.stringify(path)} ${why}`)
  }
  if (path.includes('\0')) reject('has a NUL byte')
  if (!path.startsWith('/')) reject('is not absolute: begin it with /')
  if (path === '/') reject('is the root directory')
  if (path.endsWith('/')) reject('ends with a slash: remove it')
  if (Buffer.byteLength(path) > LONGEST_PATH) reject(`has more than ${LONGEST_PATH} bytes`)
  const names = path.slice(1).split('/')
  for (const [i, name] of names.entries()) {
    const most = i === names.length - 1 ? longest : LONGEST_NAME
    if (name === '') reject('has an empty name: write one slash')
    if (name === '.' || name === '..') reject(`has the part ${name}: write the path without it`)
    if (Buffer.byteLength(name) > most) reject(`has a name of more than ${most} bytes`)
  }
}

/**
 * Rejects a name that no file can have.
 *
 * @param what the step and the argument, for the message: `dropIn haproxy.service: the name`
 * @throws TypeError
 */
export function checkName(what: string, name: string): void {
  const reject = (why: string) => {
    throw new TypeError(`${what} ${JSON.stringify(name)} ${why}`)
  }
  if (name === '') reject('is empty')
  if (name === '.' || name === '..') reject('cannot be the name of a file')
  if (/[/\0]/.test(name)) reject('has a slash or a NUL byte')
  if (Buffer.byteLength(name) > LONGEST_NAME) reject(`has more than ${LONGEST_NAME} bytes`)
}

/**
 * Returns a mode as four octal digits.
 *
 * @param what the step, for the message
 * @throws TypeError for anything but three or four octal digits
 */
export function checkedMode(what: string, mode: string): string {
  if (!/^[0-7]{3,4}$/.test(mode))
    throw new TypeError(`${what}: the mode "${mode}" is not three or four octal digits, such as 0644`)
  return mode.padStart(4, '0')
}
