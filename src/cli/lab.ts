import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Lab } from '../lab/index.ts'
import { elapsed } from '../text/duration.ts'
import { statusTable } from './lab-status.ts'

/** `provision lab`: real hosts on this machine. What it needs is loaded when it is called: other commands start without it. */
export function labCommand(): Command {
  const lab = new Command('lab')
    .description(
      'Real Debian hosts on this machine, without a hypervisor: systemd, sshd and apt on each (needs root).',
    )
    .enablePositionalOptions()
    .addHelpText('after', EXAMPLES)
  for (const command of [up(), down(), status(), ssh(), log()]) lab.addCommand(command)
  for (const [verb, [about, past]] of Object.entries(VERBS)) lab.addCommand(onHost(verb as Verb, about, past))
  return lab
    .addCommand(onPair('split', 'keeps two hosts from one another', 'no longer reach one another'))
    .addCommand(onPair('heal', 'joins them again', 'reach one another again'))
    .addCommand(delay())
    .addCommand(
      background('supervise', (name) => import('../lab/supervisor.ts').then((m) => m.supervise(name))),
      HIDDEN,
    )
    .addCommand(
      background('outside', () => import('../lab/outside.ts').then((m) => m.serveOutside())),
      HIDDEN,
    )
}

function up(): Command {
  return command(
    'up',
    'makes the hosts, or mends a lab that is not as it should be; does nothing to one that is',
  )
    .addOption(new Option('--debian <release>', 'what the hosts run (default: 12)').choices(['12', '13']))
    .option(
      '--hosts <names>',
      'hosts to add, with commas between (default: eight, two each of lb, web, app and db)',
      list,
    )
    .action(
      async ({ name, debian, hosts }: { name: string; debian?: '12' | '13'; hosts?: readonly string[] }) => {
        const { upLab } = await import('../lab/index.ts')
        const begin = Date.now()
        const lab = await upLab({
          name,
          ...(hosts && { hosts }),
          ...(debian && { debian: debian === '13' ? 13 : 12 }),
          log: (line) => console.log(line),
        })
        const flag = name === DEFAULT ? '' : ` --name ${name}`
        console.log(`${lab.hosts.length} hosts are up (${elapsed(Date.now() - begin)})`)
        console.log(`  provision lab ssh${flag} ${lab.hosts[0]?.name ?? ''}`)
        console.log(
          `  https://127.0.0.1:${lab.ports.https} and http://127.0.0.1:${lab.ports.http} lead to ${lab.vip}`,
        )
      },
    )
}

function down(): Command {
  return command('down', 'ends a lab and deletes its hosts with all that is on them').action(
    async ({ name }: Named) => {
      const { downLab } = await import('../lab/index.ts')
      await downLab(name)
    },
  )
}

function status(): Command {
  return command('status', 'shows each host, and the ports that lead to it').action(
    async ({ name }: Named) => {
      const lab = await open(name)
      console.log(statusTable(await lab.status(), Date.now()))
      console.log(
        `\nThe site: https://127.0.0.1:${lab.ports.https} and http://127.0.0.1:${lab.ports.http} (${lab.vip})`,
      )
    },
  )
}

function ssh(): Command {
  return command('ssh', 'logs in to a host, or runs a command there')
    .argument('<host>')
    .argument('[command...]')
    .passThroughOptions()
    .action(async (host: string, words: readonly string[], { name }: Named) => {
      const lab = await open(name)
      const child = spawn('ssh', ['-F', lab.sshConfig, lab.host(host).name, ...words], { stdio: 'inherit' })
      process.exitCode = await new Promise<number>((resolve, reject) => {
        child.once('error', reject).once('close', (code) => resolve(code ?? 255))
      })
    })
}

function log(): Command {
  return command('log', 'shows what a host wrote to its console since it was made')
    .argument('<host>')
    .action(async (host: string, { name }: Named) => {
      const lab = await open(name)
      const { hostPaths } = await import('../lab/paths.ts')
      await pipeline(createReadStream(hostPaths(lab.name, lab.host(host).name).console), process.stdout, {
        end: false,
      })
    })
}

function onHost(verb: Verb, about: string, past: string): Command {
  return command(verb, about)
    .argument('<host>')
    .action(async (host: string, { name }: Named) => {
      const lab = await open(name)
      await lab[verb](host)
      console.log(`${host} ${past}`)
    })
}

function onPair(verb: 'split' | 'heal', about: string, past: string): Command {
  return command(verb, about)
    .argument('<a>')
    .argument('<b>')
    .action(async (a: string, b: string, { name }: Named) => {
      const lab = await open(name)
      await lab[verb](a, b)
      console.log(`${a} and ${b} ${past}`)
    })
}

function delay(): Command {
  return command('delay', "puts a round trip between this machine and a host's sshd; 0 takes it away")
    .argument('<host>')
    .argument('<ms>', 'milliseconds', milliseconds)
    .action(async (host: string, ms: number, { name }: Named) => {
      const lab = await open(name)
      await lab.delay(host, ms)
      console.log(ms === 0 ? `${host} is as near as before` : `${host} is ${ms} ms away`)
    })
}

/** A process of the lab's own, which the lab starts. */
function background(verb: string, run: (name: string) => unknown): Command {
  return new Command(verb).argument('[name]').action(async (name: string = DEFAULT) => {
    await run(name)
  })
}

type Verb =
  | 'kill'
  | 'poweroff'
  | 'start'
  | 'reset'
  | 'cut'
  | 'uncut'
  | 'freeze'
  | 'thaw'
  | 'fillDisk'
  | 'freeDisk'

const VERBS: { readonly [V in Verb]: readonly [about: string, past: string] } = {
  poweroff: ['has a host power itself off', 'is off'],
  kill: ['pulls the plug; the disk stays as it is', 'is off'],
  start: ['switches a host on', 'is on'],
  reset: ['pulls the plug and switches on again', 'is on again'],
  cut: ['pulls the network cable', 'is cut off'],
  uncut: ['puts the cable back', 'is connected again'],
  freeze: ['stops all processes in mid-air', 'is frozen'],
  thaw: ['lets them go on', 'goes on'],
  fillDisk: ['leaves no byte free on the disk', 'has a full disk'],
  freeDisk: ['gives the room back', 'has room again'],
}

interface Named {
  readonly name: string
}

const DEFAULT = 'demo'
const HIDDEN = { hidden: true } as const

function command(verb: string, about: string): Command {
  return new Command(verb).description(about).option('--name <lab>', 'which lab', DEFAULT)
}

async function open(name: string): Promise<Lab> {
  const { openLab } = await import('../lab/index.ts')
  return openLab(name)
}

function list(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.some((name) => name === ''))
    throw new InvalidArgumentError('Write names with commas between: web1,web2')
  return names
}

function milliseconds(text: string): number {
  const ms = Number(text)
  if (text.trim() === '' || !Number.isFinite(ms) || ms < 0)
    throw new InvalidArgumentError('Write a number of milliseconds: 50')
  return ms
}

const EXAMPLES = `
Examples:
  provision lab up                          eight hosts: lb1 lb2 web1 web2 app1 app2 db1 db2
  provision lab up --name small --hosts web1,db1 --debian 13
  provision lab ssh web1
  provision lab ssh web1 sudo systemctl status nginx
  provision lab kill lb1                    what happens then to the site?
  provision lab split db1 db2               and now?
  provision lab up                          all is well again
  provision lab down`
