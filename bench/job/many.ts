import { file, play, playbook } from 'provision-ts'
import { job } from './stack.ts'

/** `$BENCH_STEPS` files on each host that contain `$BENCH_TEXT`. */
const count = Number(process.env['BENCH_STEPS'] ?? 100)
const text = process.env['BENCH_TEXT'] ?? ''

export default playbook(job, ({ machines }) => [
  play('many', { hosts: machines }, () =>
    Array.from({ length: count }, (_, i) => file(`/srv/many/${i % 20}/${i}`, `${text} ${i}\n${'a line\n'.repeat(20)}`)),
  ),
])
