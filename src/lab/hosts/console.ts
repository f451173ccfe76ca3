import { existsSync, readFileSync, statSync } from 'node:fs'

/** What a host has written to its console, through all its boots. */
export class Console {
  readonly path: string
  /** Where its present boot begins, in bytes. */
  #start = 0

  constructor(path: string) {
    this.path = path
  }

  /** What comes from now on is of a new boot. */
  begin(): void {
    this.#start = existsSync(this.path) ? statSync(this.path).size : 0
  }

  /** Of the present boot. */
  text(): string {
    return this.#read().subarray(this.#start).toString()
  }

  lastLines(): readonly string[] {
    const text = this.#read().toString().trim()
    return text === '' ? [] : text.split('\n').slice(-12)
  }

  #read(): Buffer {
    return existsSync(this.path) ? readFileSync(this.path) : Buffer.alloc(0)
  }
}
