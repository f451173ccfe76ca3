// The integration run: on hosts that it boots itself, where that can be done; says in one line where it cannot.
import './ensure.js'
import './example.js'
import { must } from './ensure.js'

const why =
  process.platform !== 'linux'
    ? 'this is not Linux'
    : process.getuid?.() !== 0
      ? 'that needs root'
      : undefined
if (why) console.log(`Integration tests on real hosts: not run, ${why}.`)
else
  must('npx', [
    'mocha',
    ...(process.argv.length > 2 ? process.argv.slice(2) : ['test/integration/*.test.ts']),
  ])
