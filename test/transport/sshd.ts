import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The reason why no real sshd can be started here, if any. */
export function noSshd(): string | undefined {
  if (!existsSync('/usr/sbin/sshd')) return 'no /usr/sbin/sshd here (apt-get install openssh-server)'
  if (process.getuid?.() !== 0) return 'a real sshd needs root here'
  return undefined
}

/** A directory with keys of ssh-keygen, deleted by `dispose`. */
export class Workshop {
  readonly path = mkdtempSync(join(tmpdir(), 'provision-ssh-'))

  file(name: string, text?: string): string {
    const path = join(this.path, name)
    if (text !== undefined) writeFileSync(path, text, { mode: 0o600 })
    return path
  }

  /** Creates a key pair. @returns the path of the private key */
  key(name: string, { type = 'ed25519', passphrase = '', comment = name } = {}): string {
    const path = this.file(name)
    if (!existsSync(path)) keygen('-q', '-a', '1', '-t', type, '-N', passphrase, '-C', comment, '-f', path)
    return path
  }

  publicKey(name: string): string {
    return readFileSync(`${this.file(name)}.pub`, 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ')
  }

  fingerprint(name: string): string {
    return keygen('-l', '-f', `${this.file(name)}.pub`).split(' ')[1] ?? ''
  }

  dispose(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

export interface SshdParts {
  readonly workshop: Workshop
  /** Names of host keys in the workshop. */
  readonly hostKeys: readonly string[]
  /** Names of user keys that may log in as root. */
  readonly users: readonly string[]
  /** Precedes the rest: the first value of an option applies. */
  readonly config?: readonly string[]
  /** The start of the command, such as nsenter. */
  readonly enter?: readonly string[]
  /** True to let bash read ~/.bashrc, as it does for a command of sshd. @default false */
  readonly bashrc?: boolean
}

/** A real OpenSSH server on a port of the loopback. */
export class Sshd {
  readonly port: number
  readonly process: ChildProcess

  private constructor(port: number, process: ChildProcess) {
    this.port = port
    this.process = process
  }

  static async start({ workshop, hostKeys, users, config = [], enter = [], bashrc = false }: SshdParts): Promise<Sshd> {
    mkdirSync('/run/sshd', { recursive: true })
    const port = await freePort()
    const keys = workshop.file(`authorized-${port}`, users.map((name) => workshop.publicKey(name) + '\n').join(''))
    const file = workshop.file(
      `sshd-${port}.conf`,
      [
        ...config,
        `ListenAddress 127.0.0.1`,
        ...hostKeys.map((name) => `HostKey ${workshop.file(name)}`),
        `AuthorizedKeysFile ${keys}`,
        'PidFile none',
        'StrictModes no',
        'UsePAM no',
        'PasswordAuthentication no',
        'PermitRootLogin prohibit-password',
        // bash reads ~/.bashrc for a command of sshd, unless SHLVL shows that it is not the first shell.
        ...(bashrc ? [] : ['SetEnv SHLVL=2']),
        'LogLevel ERROR',
        '',
      ].join('\n'),
    )
    const log = workshop.file(`sshd-${port}.log`)
    const [program = '', ...words] = [...enter, '/usr/sbin/sshd', '-D', '-E', log, '-f', file, '-p', String(port)]
    const process = spawn(program, words, { stdio: 'ignore' })
    await listening(port)
    return new Sshd(port, process)
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return
    this.process.kill('SIGCONT')
    this.process.kill('SIGTERM')
    await once(this.process, 'exit')
  }
}

export function keygen(...words: readonly string[]): string {
  return execFileSync('ssh-keygen', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

async function listening(port: number): Promise<void> {
  const end = Date.now() + 300_000
  while (Date.now() < end) {
    if (await greets(port)) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`nothing listens at port ${port}`)
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('data', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
