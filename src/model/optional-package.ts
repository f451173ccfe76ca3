import { Problem } from './problem.ts'

/**
 * Loads code that imports an optional package. Few projects need it, so it is not installed with provision-ts.
 *
 * @param feature the subject of the message, for example `A certificate authority`
 * @throws Problem if the package is not installed
 */
export async function withOptionalPackage<T>(name: string, feature: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    throw isMissing(error, name) ? missingPackage(name, feature, error) : error
  }
}

/** The error for an optional package that is not installed. */
export function missingPackage(name: string, feature: string, cause?: unknown): Problem {
  return new Problem(`${feature} needs the package ${name}, which is not installed`, {
    next: `Install it in the project: npm install ${name}`,
    cause,
  })
}

function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes(`'${name}'`)
}
