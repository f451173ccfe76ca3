/** Whether it is the operating system's error of one of these names, such as `ENOENT`. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  const code = errno(error)
  return code !== undefined && codes.includes(code)
}

/** The name of the operating system's error. Node puts several in one when it tried several addresses of a host. */
export function errno(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return error instanceof AggregateError ? errno(error.errors[0]) : undefined
}
