import { Command, Option } from 'commander'
import { Hosts } from '../../engine/hosts/hosts.ts'
import type { Host } from '../../model/inventory/host.ts'
import { FACTS } from '../../model/playbook/delegate.ts'
import type { Facts } from '../../model/resource/facts.ts'
import { table } from '../../report/format.ts'
import { jsonLine } from '../../report/json.ts'
import { type Paint, paintFor } from '../../report/problem.ts'
import type { Installation } from '../load/load.ts'
import { type ReachFlags, withReachOptions } from '../options.ts'
import { sessions } from '../sessions.ts'
import { connectOptions, exitCodeOfCounts, printProblems, selectHosts } from '../target.ts'

interface FactsFlags extends ReachFlags {
  readonly output: 'plain' | 'json'
}

/** `provision facts`: what roles see of each host. */
export function factsCommand(own: Installation): Command {
  return withReachOptions(new Command('facts'))
    .description('tell what roles see of each host: release, processors, memory, interface')
    .addOption(
      new Option('-o, --output <how>', 'how to show them').choices(['plain', 'json']).default('plain'),
    )
    .addHelpText('after', '\nExamples:\n  provision facts --limit db\n  provision facts --output json')
    .action(async (flags: FactsFlags) => {
      const { hosts } = await selectHosts(flags, own)
      const { transportOf, become, settings } = await connectOptions(flags)
      const fleet = new Hosts(sessions(transportOf, become, settings), () => {})
      try {
        const asks = hosts.map((host) => ({ host, question: FACTS }))
        await fleet.ask(asks)
        // An answer is what the question's own read has made.
        const found = asks.map((one) => [one.host, fleet.answers.get(one) as Facts | undefined] as const)
        const lines =
          flags.output === 'json' ? asJson(found, fleet) : asTable(found, paintFor(process.stdout))
        for (const line of lines) process.stdout.write(`${line}\n`)
        if (flags.output === 'plain') printProblems(fleet.unreachable.values())
        process.exitCode = exitCodeOfCounts({ failed: 0, unreachable: fleet.unreachable.size })
      } finally {
        await fleet.close()
      }
    })
}

type Found = readonly (readonly [Host, Facts | undefined])[]

function asJson(found: Found, { unreachable }: Hosts): readonly string[] {
  return found.map(([{ name: host }, facts]) =>
    jsonLine(
      facts ? { kind: 'facts', host, facts } : { kind: 'unreachable', host, problem: unreachable.get(host) },
    ),
  )
}

function asTable(found: Found, paint: Paint): readonly string[] {
  const rows = found.flatMap(([{ name }, facts]) => (facts ? [[name, ...row(facts)]] : []))
  if (rows.length === 0) return []
  const head = ['host', 'hostname', 'release', 'cpus', 'memory', 'architecture', 'interface', 'kind']
  return table([head, ...rows], (cell, row) => (row === 0 ? paint('dim', cell) : cell))
}

function row({ hostname, os, cpus, memory, architecture, interface: device, container }: Facts) {
  const release = `${os.id} ${os.version || ''} ${os.codename}`.replace(/ +/g, ' ').trim()
  const gib = `${(memory / 1024 ** 3).toFixed(1)} GiB`
  return [hostname, release, String(cpus), gib, architecture, device, container ? 'container' : 'machine']
}
