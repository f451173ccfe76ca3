/** A place in a source file. Lines and columns start at 1. Before it is shown, `report` maps it to the file as written. */
export interface Source {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Returns the call in the user's code: the first place on the stack outside of provision's own code. */
export function callSite(): Source | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error
  const holder: { stack?: unknown } = {}
  try {
    Error.stackTraceLimit = 12
    Error.prepareStackTrace = (_error, sites) => sites
    Error.captureStackTrace(holder)
    const sites = holder.stack
    return Array.isArray(sites) ? firstOutside(sites as NodeJS.CallSite[]) : undefined
  } finally {
    Error.stackTraceLimit = stackTraceLimit
    Error.prepareStackTrace = prepareStackTrace
  }
}

/** Returns the first place on an error's stack outside of provision's own code. */
export function thrownAt(error: unknown): Source | undefined {
  const [here] = placesOf(new Error())
  const ours = here?.file.replace(/(model\/source\.[jt]s|[^/]*)$/, '') ?? ''
  return error instanceof Error ? placesOf(error).find(({ file }) => !file.startsWith(ours)) : undefined
}

function placesOf({ stack = '' }: Error): readonly Source[] {
  const frames = stack.matchAll(/^ +at (?:.*\()?(?:file:\/\/)?(\/.*?):(\d+):(\d+)\)?$/gm)
  return [...frames].map(([, file = '', line, column]) => ({ file, line: Number(line), column: Number(column) }))
}

function firstOutside(sites: readonly NodeJS.CallSite[]): Source | undefined {
  // The folder `src` when run from sources, the folder of the bundle otherwise.
  const ours = sites[0]?.getFileName()?.replace(/(model\/source\.[jt]s|[^/]*)$/, '') ?? ''
  for (const site of sites) {
    const file = site.getFileName()
    if (!file || file.startsWith(ours) || file.startsWith('node:')) continue
    return {
      file: file.replace(/^file:\/\//, ''),
      line: site.getLineNumber() ?? 1,
      column: site.getColumnNumber() ?? 1,
    }
  }
  return undefined
}
