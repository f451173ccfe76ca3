import { spawn } from 'node:child_process'
import { constants, createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { Problem } from '../../model/problem.ts'
import { type LabOptions, labSubcommand, open } from './shared.ts'

/** Ways to look at one host. */
export function hostCommands(): readonly Command[] {
  return [ssh(), log()]
}

function ssh(): Command {
  return labSubcommand('ssh', 'logs in to a host, or runs a command there')
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
  return labSubcommand('log', 'shows what a host wrote to its console since it was made')
    .argument('<host>')
    .action(async (host: string, { name }: LabOptions) => {
      const lab = await open(name)
      const { hostPaths } = await import('../paths.ts')
      const { console: path } = hostPaths(lab.name, lab.host(host).name)
      await access(path, constants.R_OK).catch((cause) => {
        throw new Problem('Only root can read what a host wrote to its console.', {
          next: 'the same with sudo',
          cause,
        })
      })
      await pipeline(createReadStream(path), process.stdout, { end: false })
    })
}
