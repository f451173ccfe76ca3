// Makes the reference site from the comments of the sources and from the guides: `npm run docs:site` writes site/.
import { fileURLToPath } from 'node:url'
import { ensurePackages, must } from './ensure.js'

const directory = fileURLToPath(new URL('../docs/site', import.meta.url))

ensurePackages(directory, 'what makes the reference site')
must(process.execPath, [
  `${directory}/node_modules/typedoc/bin/typedoc`,
  ...['--options', `${directory}/typedoc.json`],
  ...process.argv.slice(2),
])
