/**
 * A command of the shell itself that writes exactly these bytes. As `printf` is built into every sh we meet, the bytes show up
 * in no process list.
 */
export function payload(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1')
  return `printf '${text.replace(SPECIAL, (c) => ESCAPES[c] ?? c).replace(/^-/, '\\055')}'`
}

/** The format's own characters, the one that ends the quotes, and the one that no shell can hold. */
const SPECIAL = /[\0%\\']/g
const ESCAPES: Readonly<Record<string, string>> = { '\0': '\\000', '%': '%%', '\\': '\\\\', "'": '\\047' }
