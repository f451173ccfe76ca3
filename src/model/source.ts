/** A place in somebody's text. Lines and columns start at 1; before {@link Source} is shown, `report` maps it to the file as written. */
export interface Source {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Where the caller of the function that calls this stands: the first place on the stack outside of our own model and resources. */
export function callSite(): Source | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error
  const holder: { stack?: unknown } = {}
  try {
    Error.stackTraceLimit = 12
    Error.prepareStackTrace = (_error, sites) => sites
    Error.captureStackTrace(holder, callSite)
    const sites = holder.stack
    return Array.isArray(sites) ? firstOutside(sites as NodeJS.CallSite[]) : undefined
  } finally {
    Error.stackTraceLimit = stackTraceLimit
    Error.prepareStackTrace = prepareStackTrace
  }
}

function firstOutside(sites: readonly NodeJS.CallSite[]): Source | undefined {
  const own = sites[0]?.getFileName()
  for (const site of sites) {
    const file = site.getFileName()
    if (!file || file === own || file.startsWith('node:') || OURS.test(file)) continue
    return {
      file: file.replace(/^file:\/\//, ''),
      line: site.getLineNumber() ?? 1,
      column: site.getColumnNumber() ?? 1,
    }
  }
  return undefined
}

/** Our own code when it runs from its sources, where each file stands alone; when bundled, all of it is one `dist` folder. */
const OURS = /\/(src\/(model|resources|shell|text|index)|dist\/[^/]*)(\/|\.[jt]s$)/
