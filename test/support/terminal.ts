import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { Terminal } from '@xterm/headless'

export interface TerminalOptions {
  readonly cols?: number
  readonly rows?: number
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Returns the reason why no pseudo-terminal is available here, in one line. */
export function noTerminal(): string | undefined {
  if (process.platform !== 'linux') return 'the script command of other systems differs'
  return spawnSync('script', ['--version']).error ? 'there is no script command' : undefined
}

/** A program in a pseudo-terminal of script(1), and its screen. */
export class PseudoTerminal {
  readonly #terminal: Terminal
  readonly #child: ChildProcess
  readonly code: Promise<number>
  #bytes = ''

  constructor(command: string, { cols = 80, rows = 24, cwd, env = {} }: TerminalOptions = {}) {
    this.#terminal = new Terminal({ cols, rows, scrollback: 5_000, allowProposedApi: true })
    const { NO_COLOR: _no, FORCE_COLOR: _force, CI: _ci, ...own } = process.env
    // With exec: a dash that waits for the program ends with 130 after Ctrl-C, even if the program handles the signal.
    this.#child = spawn('script', ['-qfec', `stty cols ${cols} rows ${rows}; exec ${command}`, '/dev/null'], {
      ...(cwd !== undefined && { cwd }),
      env: { ...own, SHELL: '/bin/sh', TERM: 'xterm-256color', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#bytes += text
      this.#terminal.write(text)
    })
    this.code = new Promise((done) => this.#child.on('close', (code) => done(code ?? -1)))
  }

  /** The output of the program, with escape sequences for the cursor and colours. */
  get bytes(): string {
    return this.#bytes
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  /** The text on the screen and in its scrollback, without trailing blanks and lines. */
  async screen(): Promise<string> {
    await new Promise<void>((done) => this.#terminal.write('', done))
    const { active } = this.#terminal.buffer
    const lines = Array.from({ length: active.length }, (_, y) =>
      (active.getLine(y)?.translateToString(true) ?? '').trimEnd(),
    )
    return lines.join('\n').trimEnd()
  }

  /** Waits until the screen shows this. @throws with the screen if the program ends without it, or after five minutes */
  async until(wanted: RegExp): Promise<string> {
    let ended = false
    void this.code.then(() => {
      ended = true
    })
    const end = Date.now() + 300_000
    for (;;) {
      const last = ended || Date.now() > end
      const screen = await this.screen()
      if (wanted.test(screen)) return screen
      if (last) throw new Error(`the screen never showed ${wanted}:\n${screen}`)
      await new Promise((done) => setTimeout(done, 50))
    }
  }

  /** Closes the terminal, like a window. */
  close(): void {
    this.#child.kill('SIGKILL')
  }
}
