export type Fields = Readonly<Record<string, unknown>>

export interface Log {
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
}

/** Writes one JSON object per line. Undefined fields are omitted. */
export function jsonLog(write: (line: string) => void): Log {
  const at =
    (level: string) =>
    (message: string, fields: Fields = {}) =>
      write(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }) + '\n')
  return { info: at('info'), warn: at('warn'), error: at('error') }
}
