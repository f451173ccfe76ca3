import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { execa, type Options } from 'execa'
import { CACHE } from '../../src/lab/base/paths.ts'
import { readState } from '../../src/lab/base/state.ts'
import { baseImage } from '../../src/lab/image/base-image.ts'
import { downLab, upLab } from '../../src/lab/index.ts'
import { ROOT } from '../integration/support.ts'

const HERE = import.meta.dirname
const LAB = 'test-vagrant'
const BRIDGE = 'lxcbr0'
const CGROUPS = '/sys/fs/cgroup'

export interface Ended {
  readonly code: number
  readonly text: string
  readonly seconds: number
}

export interface Running {
  /** @default the project's folder */
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** True to print the output during the command. @default false */
  readonly shown?: boolean
}

/**
 * The environment of Vagrant's machines on a Linux machine without a hypervisor: LXC containers on a bridge in the network of a lab,
 * which only leads to package archives. The lab has one host of its own as a client.
 */
export class Ground {
  readonly client = 'client'
  /** The home of Vagrant, its state for this project, and the state of provision. It is removed at the end. */
  readonly directory = mkdtempSync(join(tmpdir(), 'provision-vagrant-'))
  readonly #supervisor: number

  private constructor(supervisor: number) {
    this.#supervisor = supervisor
    mkdirSync(join(this.directory, 'home'))
    copyFileSync(join(HERE, 'overlay.rb'), join(this.directory, 'home/Vagrantfile'))
  }

  static async made(log: (line: string) => void): Promise<Ground> {
    await installed(log)
    const box = await boxed(log)
    await downLab(LAB)
    await upLab({ name: LAB, hosts: ['client'], log })
    const state = readState(LAB)
    if (!state) throw new Error('the lab has no state')
    const ground = new Ground(state.supervisor.pid)
    await ground.#bridged()
    await ground.must(['vagrant', 'box', 'add', '--name', 'debian/bookworm64', box])
    return ground
  }

  /** Runs a command in the network of the machines. */
  async run(command: readonly string[], { cwd = ROOT, env = {}, shown = false }: Running = {}): Promise<Ended> {
    const began = performance.now()
    const { exitCode = -1, all } = await execa('sh', [join(HERE, 'inside.sh'), String(this.#supervisor), ...command], {
      ...this.#options,
      cwd,
      env: { ...this.#options.env, ...env },
      ...(shown && { stdout: ['pipe', 'inherit'] }),
    })
    return { code: exitCode, text: String(all), seconds: (performance.now() - began) / 1000 }
  }

  /** @throws Error if the status is not 0 */
  async must(command: readonly string[], running: Running = {}): Promise<Ended> {
    const ended = await this.run(command, running)
    if (ended.code !== 0) throw new Error(`${command.join(' ')} ended with ${ended.code}:\n${ended.text.slice(-4_000)}`)
    return ended
  }

  /** Runs the command as a user does, next to the Vagrantfile. */
  provision(words: readonly string[], running: Running = {}): Promise<Ended> {
    return this.run(['node', join(ROOT, 'bin/provision.js'), ...words, '--no-type-check'], running)
  }

  /** Removes everything, in any state. */
  async down(): Promise<void> {
    await this.run(['vagrant', 'destroy', '-f'])
    await downLab(LAB)
    // LXC leaves this empty group in each hierarchy.
    for (const hierarchy of ['', ...readdirSync(CGROUPS)]) {
      const pivot = join(CGROUPS, hierarchy, 'lxc.pivot')
      if (existsSync(pivot)) rmdirSync(pivot)
    }
    rmSync(this.directory, { recursive: true, force: true })
  }

  async #bridged(): Promise<void> {
    await this.must([
      ...['sh', '-ec'],
      `ip link add ${BRIDGE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0
ip addr add 10.0.3.1/24 dev ${BRIDGE}
ip addr add 192.168.56.1/24 dev ${BRIDGE}
ip link set ${BRIDGE} up`,
    ])
  }

  get #options() {
    return {
      all: true,
      reject: false,
      timeout: 900_000,
      env: {
        NO_COLOR: '1',
        VAGRANT_HOME: join(this.directory, 'home'),
        VAGRANT_DOTFILE_PATH: join(this.directory, 'machines'),
        VAGRANT_DEFAULT_PROVIDER: 'lxc',
        VAGRANT_CHECKPOINT_DISABLE: '1',
      },
    } satisfies Options
  }
}

const PACKAGES = ['vagrant', 'vagrant-lxc', 'lxc', 'redir', 'pigz'] as const

async function installed(log: (line: string) => void): Promise<void> {
  const { exitCode } = await execa('dpkg', ['-s', ...PACKAGES], { reject: false })
  if (exitCode === 0) return
  log(`installing on this machine: ${PACKAGES.join(' ')}`)
  const apt = (...words: readonly string[]) =>
    execa('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...words], {
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    })
  const install = () => apt('install', '-y', '--no-install-recommends', ...PACKAGES)
  await install().catch(async () => {
    await apt('update')
    await install()
  })
}

/** Creates the box of the Vagrantfile from the base image of the lab. It is cached next to the image. */
async function boxed(log: (line: string) => void): Promise<string> {
  const base = await baseImage({ debian: 12, log })
  const script = join(HERE, 'box.sh')
  const contents = createHash('sha256').update(readFileSync(script)).digest('hex').slice(0, 8)
  const box = join(CACHE, `${basename(base)}-${contents}.box`)
  if (existsSync(box)) return box
  log('making the box')
  const unfinished = `${box}.unfinished`
  await execa('unshare', ['--mount', '--propagation', 'private', 'sh', script, base, unfinished])
  renameSync(unfinished, box)
  return box
}
