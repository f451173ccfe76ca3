import { Command } from 'commander'
import { Hosts } from '../../engine/hosts/hosts.ts'
import type { Host } from '../../model/inventory/host.ts'
import type { Facts } from '../../model/resource/facts.ts'
import { FACTS } from '../../model/resource/read-facts.ts'
import { table } from '../../report/format.ts'
import { type Paint, paintFor } from '../../report/problem.ts'
import { jsonLine } from '../../report/reporter.ts'
import { exitCodeOfCounts } from '../exit.ts'
import type { Installation } from '../load/paths.ts'
import { type OutputFlags, type ReachFlags, withOutputOption, withReachOptions } from '../options.ts'
import { printLines, printProblems } from '../print.ts'
import { openSessions, selectHosts } from '../target.ts'

/** `provision facts`: the facts that roles can use. */
export function factsCommand(installation: Installation): Command {
  return withOutputOption(withReachOptions(new Command('facts')))
    .description('show the facts of each host: release, memory, interface, …')
    .addHelpText('after', '\nExamples:\n  provision facts --limit db\n  provision facts --output json')
    .action(async (flags: ReachFlags & OutputFlags) => {
      const { hosts: selected } = await selectHosts(flags, installation)
      const hosts = new Hosts(await openSessions(flags), () => {}, { forks: flags.forks })
      try {
        const questions = selected.map((host) => ({ host, question: FACTS }))
        await hosts.ask(questions)
        // The answer has the type that the read of the question returns.
        const rows = questions.map((one) => [one.host, hosts.answers.get(one) as Facts | undefined] as const)
        printLines(flags.output === 'json' ? asJson(rows, hosts) : asTable(rows, paintFor(process.stdout)))
        if (flags.output === 'plain') printProblems(...hosts.unreachable.values())
        process.exitCode = exitCodeOfCounts({ failed: 0, unreachable: hosts.unreachable.size })
      } finally {
        await hosts.close()
      }
    })
}

type Rows = readonly (readonly [Host, Facts | undefined])[]

function asJson(rows: Rows, { unreachable }: Hosts): readonly string[] {
  return rows.map(([{ name: host }, facts]) =>
    jsonLine(facts ? { kind: 'facts', host, facts } : { kind: 'unreachable', host, problem: unreachable.get(host) }),
  )
}

function asTable(hosts: Rows, paint: Paint): readonly string[] {
  const rows = hosts.flatMap(([{ name }, facts]) => (facts ? [[name, ...cells(facts)]] : []))
  if (rows.length === 0) return []
  const head = ['host', 'hostname', 'release', 'cpus', 'memory', 'architecture', 'interface', 'kind']
  return table([head, ...rows], (cell, row) => (row === 0 ? paint('dim', cell) : cell))
}

function cells({ hostname, os, cpus, memory, architecture, interface: device, container }: Facts) {
  const release = `${os.id} ${os.version} ${os.codename}`.replace(/ +/g, ' ').trim()
  const gib = `${(memory / 1024 ** 3).toFixed(1)} GiB`
  return [hostname, release, String(cpus), gib, architecture, device, container ? 'container' : 'machine']
}
