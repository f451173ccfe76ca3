/** A file that makes templates, and below its own lines one line for each, which the compiler takes only when head and caller agree. */
export interface TemplateCalls {
  readonly text: string
  /** In the order of the lines that were added, which begin behind this one. */
  readonly calls: readonly TemplateCall[]
  readonly lines: number
}

export interface TemplateCall {
  readonly template: string
  readonly line: number
  readonly column: number
}

/**
 * `template<SiteConf>(import.meta, 'site.conf.ejs')` promises a SiteConf; the head of the template says what it takes. Nothing at
 * run time would hold the one against the other.
 *
 * @param isSound whether there is a template of this name, with a head
 */
export function templateCalls(source: string, isSound: (template: string) => boolean): TemplateCalls {
  const found = [...source.matchAll(CALL)].flatMap((call) => {
    const [, data = '', , template = ''] = call
    if (!isSound(template)) return []
    const before = source.slice(0, call.index).split('\n')
    const promise = `;((data: ${data.replaceAll('\n', ' ')}): import('./templates/${template}.ts').Head => data)`
    return [{ promise, template, line: before.length, column: (before.at(-1) ?? '').length + 1 }]
  })
  return {
    text: [source, ...found.map(({ promise }) => promise), ''].join('\n'),
    calls: found,
    lines: source.split('\n').length,
  }
}

const CALL = /\btemplate<([^()]+?)>\(\s*import\.meta,\s*(['"])([^'"\n]+)\2/g
