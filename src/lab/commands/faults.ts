import { type Command, InvalidArgumentError } from 'commander'
import type { HostVerb } from '../supervisor/control.ts'
import { type LabOptions, labSubcommand, open, percentOfCore } from './shared.ts'

/** What can happen to real hosts, as commands. `lab up` undoes it all. */
export function faultCommands(): readonly Command[] {
  return [
    onHost('poweroff', 'has a host power itself off', 'is off'),
    onHost('kill', 'pulls the plug; the disk stays as it is', 'is off'),
    onHost('start', 'switches a host on', 'is on'),
    onHost('reset', 'pulls the plug and switches on again', 'is on again'),
    onHost('cut', 'pulls the network cable', 'is cut off'),
    onHost('uncut', 'puts the cable back', 'is connected again'),
    onPair('split', 'keeps two hosts from one another', 'no longer reach one another'),
    onPair('heal', 'joins them again', 'reach one another again'),
    onHost('freeze', 'stops all processes in mid-air', 'is frozen'),
    onHost('thaw', 'lets them go on', 'goes on'),
    slow(),
    onHost('fast', 'takes the limit of `slow` away', 'runs as fast as before'),
    onHost('fillDisk', 'leaves no byte free on the disk', 'has a full disk'),
    onHost('freeDisk', 'gives the room back', 'has room again'),
    delay(),
  ]
}

/** @param after what is then true of the host */
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
  return labSubcommand('delay', "puts a round trip between this machine and a host's sshd; 0 takes it away")
    .argument('<host>')
    .argument('<ms>', 'milliseconds', milliseconds)
    .action(async (host: string, ms: number, { name }: LabOptions) => {
      const lab = await open(name)
      await lab.delay(host, ms)
      console.log(ms === 0 ? `${host} is as near as before` : `${host} is ${ms} ms away`)
    })
}

function slow(): Command {
  return labSubcommand('slow', 'limits the processor time of a host')
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
