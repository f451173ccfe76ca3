import { access } from 'node:fs/promises'
import type { AnyAuthMethod, ParsedKey } from 'ssh2'
import type { Secret } from '../../shell/secret.ts'
import type { Clock } from '../clock.ts'
import { errno } from '../errors.ts'
import { fingerprint, keyType, keyTypeName } from '../ssh/encoding.ts'
import { type AgentKey, agentKeys } from './agent.ts'
import type { KeyFile, KeyFiles } from './key-file.ts'
import type { LoginSettings } from './settings.ts'
import { OpenSSHAgent, parseKey } from './ssh2.ts'

/** One way to prove who we are. */
export interface AuthMethod {
  readonly method: 'publickey' | 'password' | 'keyboard-interactive' | 'none'
  /** For messages: `~/.ssh/id_ed25519 (ED25519 SHA256:…)`. */
  readonly label: string
  /** What ssh2 wants to see, or in words why it cannot be had. A person may be asked for a passphrase. */
  make(): Promise<AnyAuthMethod | string>
}

export interface AuthMethods {
  readonly proofs: readonly AuthMethod[]
  /** Keys that were passed over, and why. */
  readonly notes: readonly string[]
}

interface KeyringParts {
  readonly files: KeyFiles
  readonly clock: Clock
  readonly password?: Secret | undefined
}

/** The keys and passwords of a run. */
export class Keyring {
  readonly #files: KeyFiles
  readonly #clock: Clock
  readonly #password: Secret | undefined
  readonly #agents = new Map<string, Promise<readonly AgentKey[] | string>>()

  constructor({ files, password, clock }: KeyringParts) {
    this.#files = files
    this.#clock = clock
    this.#password = password
  }

  /**
   * What to try at a host, in this order: keys that were named, keys at hand, the agent's other keys, and last what a
   * person must be asked for. A server hangs up after six, so the likeliest go first.
   */
  async proofs({ identities: { files, named, only, agent }, user }: LoginSettings): Promise<AuthMethods> {
    const notes: string[] = []
    const held = await this.#agentKeys(agent, notes)
    const usable: KeyFile[] = []
    for (const path of files) {
      const file = await this.#files.read(path)
      if (typeof file === 'string') notes.push(`${path}: not used, ${file}`)
      else if (file) usable.push(file)
      else if (named) notes.push(`${path}: not used, there is no such file`)
      if (await exists(`${path}-cert.pub`))
        notes.push(`${path}-cert.pub: not used, ssh2 knows no certificates`)
    }
    const byAgent = (file: KeyFile) => held.find(({ key }) => file.publicKey?.equals(key))
    const fromFiles = usable.map((file) => {
      const inAgent = byAgent(file)
      const proof =
        inAgent && agent ? agentProof(inAgent, { agent, user, path: file.path }) : fileProof(file, user)
      return { proof, asks: file.encrypted && !inAgent }
    })
    const others = held.filter((key) => !only && !usable.some((file) => byAgent(file) === key))
    const now = fromFiles.filter(({ asks }) => named || !asks)
    return {
      proofs: [
        ...now.map(({ proof }) => proof),
        ...(agent ? others.map((key) => agentProof(key, { agent, user })) : []),
        ...fromFiles.filter((file) => !now.includes(file)).map(({ proof }) => proof),
        ...passwordProofs(this.#password, user),
        { method: 'none', label: 'no key at all', make: async () => ({ type: 'none', username: user }) },
      ],
      notes,
    }
  }

  async #agentKeys(socket: string | undefined, notes: string[]): Promise<readonly AgentKey[]> {
    if (socket === undefined) return []
    const asked =
      this.#agents.get(socket) ??
      agentKeys(socket, this.#clock).catch((error: Error) => errno(error) ?? error.message)
    this.#agents.set(socket, asked)
    const keys = await asked
    if (typeof keys === 'string') {
      notes.push(`agent at ${socket}: not used, it cannot be asked (${keys})`)
      return []
    }
    return keys.filter(({ key, comment }) => {
      const usable = !(parseKey(key) instanceof Error)
      if (!usable)
        notes.push(`agent's "${comment}" (${keyType(key)}): not used, ssh2 does not know such keys`)
      return usable
    })
  }
}

function fileProof(file: KeyFile, username: string): AuthMethod {
  const shape = file.publicKey ? ` (${describe(file.publicKey)})` : ''
  return {
    method: 'publickey',
    label: file.path + shape,
    make: async () => {
      const key = await file.open()
      return typeof key === 'string' ? key : { type: 'publickey', username, key }
    },
  }
}

function agentProof(
  { key, comment }: AgentKey,
  parts: { agent: string; user: string; path?: string },
): AuthMethod {
  const { agent, user, path } = parts
  return {
    method: 'publickey',
    label: `${path ?? `"${comment}"`} in the agent (${describe(key)})`,
    make: async () => ({ type: 'agent', username: user, agent: new OneKeyAgent(agent, key) }),
  }
}

/** An agent that owns up to one of its keys: ssh2 would offer them all, in an order of its own. */
class OneKeyAgent extends OpenSSHAgent {
  readonly #key: Buffer

  constructor(socket: string, key: Buffer) {
    super(socket)
    this.#key = key
  }

  override getIdentities(give: (error: Error | undefined, keys: ParsedKey[]) => void): void {
    const key = parseKey(this.#key)
    give(undefined, key instanceof Error ? [] : [key])
  }
}

/** Many servers take passwords in a dialogue only. */
function passwordProofs(password: Secret | undefined, username: string): readonly AuthMethod[] {
  if (!password) return []
  return [
    {
      method: 'password',
      label: 'the password',
      make: async () => ({ type: 'password', username, password: password.reveal() }),
    },
    {
      method: 'keyboard-interactive',
      label: 'the password, in a dialogue',
      make: async () => ({
        type: 'keyboard-interactive',
        username,
        prompt: (_name, _instructions, _language, prompts, finish) =>
          finish(prompts.map(() => password.reveal())),
      }),
    },
  ]
}

function describe(key: Buffer): string {
  return `${keyTypeName(keyType(key) ?? 'key')} ${fingerprint(key)}`
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
