import { spawn } from 'node:child_process'
import { constants, createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { Problem } from '../../model/problem.ts'
import type { HostVerb } from '../supervisor/control.ts'
import { type LabOptions, labSubcommand, open, percentOfCore } from './shared.ts'

/** Commands that inspect one host. */
export function hostCommands(): readonly Command[] {
  return [ssh(), log()]
}

function ssh(): Command {
  return labSubcommand('ssh', 'log in to a host, or run a command on it')
    .argument('<host>')
    .argument('[command...]')
    .passThroughOptions()
    .action(async (host: string, words: readonly string[], { name }: LabOptions) => {
      const lab = await open(name)
      const child = spawn('ssh', ['-F', lab.sshConfig, lab.host(host).name, ...words], { stdio: 'inherit' })
      process.exitCode = await new Promise<number>((resolve, reject) => {
        child.once('error', reject).once('close', (code) => resolve(code ?? 255))
      })
    })
}

function log(): Command {
  return labSubcommand('log', 'show the console output of a host since its creation')
    .argument('<host>')
    .action(async (host: string, { name }: LabOptions) => {
      const lab = await open(name)
      const { hostPaths } = await import('../base/paths.ts')
      const { console: path } = hostPaths(lab.name, lab.host(host).name)
      await access(path, constants.R_OK).catch((cause) => {
        throw new Problem('Only root can read the console output of a host.', { next: 'the same with sudo', cause })
      })
      await pipeline(createReadStream(path), process.stdout, { end: false })
    })
}

/** Commands that inject faults into hosts. `lab up` removes them all. */
export function faultCommands(): readonly Command[] {
  return [
    onHost('poweroff', 'shut a host down cleanly', 'is off'),
    onHost('kill', 'cut the power of a host; its disk stays as it is', 'is off'),
    onHost('start', 'power a host on', 'is on'),
    onHost('reset', 'cut the power of a host and power it on again', 'is on again'),
    onHost('cut', 'disconnect the network of a host', 'is disconnected'),
    onHost('uncut', 'connect the network of a host again', 'is connected again'),
    onPair('split', 'block traffic between two hosts', 'no longer reach each other'),
    onPair('heal', 'allow traffic between two hosts again', 'reach each other again'),
    onHost('freeze', 'freeze all processes of a host', 'is frozen'),
    onHost('thaw', 'let the processes of a host continue', 'runs again'),
    slow(),
    onHost('fast', 'remove the limit of `slow`', 'has its usual CPU time again'),
    onHost('fillDisk', 'fill the disk of a host', 'has a full disk'),
    onHost('freeDisk', 'free the disk of a host again', 'has disk space again'),
    delay(),
  ]
}

/** @param after completes the message: `web1 is off` */
function onHost(verb: HostVerb | 'fast', about: string, after: string): Command {
  return labSubcommand(verb.replace('Disk', '-disk'), about)
    .argument('<host>')
    .action(async (host: string, { name }: LabOptions) => {
      const lab = await open(name)
      await lab[verb](host)
      console.log(`${host} ${after}`)
    })
}

function onPair(verb: 'split' | 'heal', about: string, after: string): Command {
  return labSubcommand(verb, about)
    .argument('<a>')
    .argument('<b>')
    .action(async (a: string, b: string, { name }: LabOptions) => {
      const lab = await open(name)
      await lab[verb](a, b)
      console.log(`${a} and ${b} ${after}`)
    })
}

function delay(): Command {
  return labSubcommand('delay', "add a round-trip time between this machine and a host's sshd; 0 removes it")
    .argument('<host>')
    .argument('<ms>', 'milliseconds', milliseconds)
    .action(async (host: string, ms: number, { name }: LabOptions) => {
      const lab = await open(name)
      await lab.delay(host, ms)
      console.log(ms === 0 ? `${host} has no delay` : `${host} is ${ms} ms away`)
    })
}

function slow(): Command {
  return labSubcommand('slow', 'limit the CPU time of a host')
    .argument('<host>')
    .argument('<percent>', 'of one core, at least 1', percentOfCore)
    .action(async (host: string, percent: number, { name }: LabOptions) => {
      const lab = await open(name)
      await lab.slow(host, percent)
      console.log(`${host} gets ${percent} % of a core`)
    })
}

function milliseconds(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Write a number of milliseconds: 50')
}
