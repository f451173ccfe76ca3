import { Converter, ReflectionKind } from 'typedoc'

/** A param that is taken apart where it stands has no name of its own, and is nearly always a bag of options. */
export function load(/** @type {import('typedoc').Application} */ app) {
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const one of project.getReflectionsByKind(ReflectionKind.Parameter))
      if (one.name === '__namedParameters') one.name = 'options'
  })
}
