import type { SshClient } from '../ssh2/client.ts'

/** A login that is lent to us. */
export interface SharedLogin<C = SshClient> {
  readonly connection: C
  /** Gives it back; the last who does closes it. */
  release(): Promise<void>
}

/** Logins at jump hosts: one serves all hosts behind it, for as long as any is open. */
export class JumpHosts<C extends { readonly lost: Promise<string> } = SshClient> {
  readonly #open = new Map<string, { readonly reached: Promise<SharedLogin<C>>; users: number }>()

  async borrow(key: string, reach: () => Promise<SharedLogin<C>>): Promise<SharedLogin<C>> {
    const jump = this.#open.get(key) ?? { reached: reach(), users: 0 }
    this.#open.set(key, jump)
    jump.users += 1
    const forget = () => {
      if (this.#open.get(key) === jump) this.#open.delete(key)
    }
    try {
      const { connection, release } = await jump.reached
      void connection.lost.then(forget)
      let ours = true
      return {
        connection,
        release: async () => {
          if (!ours) return
          ours = false
          jump.users -= 1
          if (jump.users > 0) return
          forget()
          await release()
        },
      }
    } catch (error) {
      forget()
      throw error
    }
  }
}
