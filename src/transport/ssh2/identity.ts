import { access } from 'node:fs/promises'
import type { AnyAuthMethod, ParsedKey } from 'ssh2'
import type { Secret } from '../../shell/secret.ts'
import type { Clock } from '../clock.ts'
import { errno } from '../errors.ts'
import { fingerprint, keyType, keyTypeName } from '../ssh/encoding.ts'
import { type AgentKey, agentKeys, type KeyFile, type KeyFiles } from './keys.ts'
import type { LoginSettings } from './settings.ts'
import { OpenSSHAgent, parseKey } from './ssh2.ts'

export interface AuthMethod {
  readonly method: 'publickey' | 'password' | 'keyboard-interactive' | 'none'
  /** For messages: `~/.ssh/id_ed25519 (ED25519 SHA256:…)`. */
  readonly label: string
  /** Creates the method for ssh2, or returns the reason why it cannot be used. May ask the user for a passphrase. */
  create(): Promise<AnyAuthMethod | string>
}

export interface AuthMethods {
  readonly methods: readonly AuthMethod[]
  /** The keys that are not used, each with the reason. */
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
   * The methods to try at a host, in this order: configured keys, keys without a passphrase, the agent's other keys, then those that ask
   * the user. A server closes the connection after six, so the most likely are first.
   */
  async authMethods({ identities: { files, named, only, agent }, user }: LoginSettings): Promise<AuthMethods> {
    const notes: string[] = []
    const held = await this.#agentKeys(agent, notes)
    const usable: KeyFile[] = []
    for (const path of files) {
      const file = await this.#files.read(path)
      if (typeof file === 'string') notes.push(`${path}: not used, ${file}`)
      else if (file) usable.push(file)
      else if (named) notes.push(`${path}: not used, the file does not exist`)
      if (await exists(`${path}-cert.pub`)) notes.push(`${path}-cert.pub: not used, ssh2 does not support certificates`)
    }
    const inAgent = (file: KeyFile) => held.find(({ key }) => file.publicKey?.equals(key))
    const fromFiles = usable.map((file) => {
      const agentKey = inAgent(file)
      const method =
        agentKey && agent ? agentMethod(agentKey, { agent, user, path: file.path }) : fileMethod(file, user)
      return { method, asks: file.encrypted && !agentKey }
    })
    const others = held.filter((key) => !only && !usable.some((file) => inAgent(file) === key))
    const first = fromFiles.filter(({ asks }) => named || !asks)
    return {
      methods: [
        ...first.map(({ method }) => method),
        ...(agent ? others.map((key) => agentMethod(key, { agent, user })) : []),
        ...fromFiles.filter((file) => !first.includes(file)).map(({ method }) => method),
        ...passwordMethods(this.#password, user),
        { method: 'none', label: 'no key', create: async () => ({ type: 'none', username: user }) },
      ],
      notes,
    }
  }

  async #agentKeys(socket: string | undefined, notes: string[]): Promise<readonly AgentKey[]> {
    if (socket === undefined) return []
    const answer =
      this.#agents.get(socket) ?? agentKeys(socket, this.#clock).catch((error: Error) => errno(error) ?? error.message)
    this.#agents.set(socket, answer)
    const keys = await answer
    if (typeof keys === 'string') {
      notes.push(`agent at ${socket}: not used, it does not answer (${keys})`)
      return []
    }
    return keys.filter(({ key, comment }) => {
      const usable = !(parseKey(key) instanceof Error)
      if (!usable) notes.push(`agent's "${comment}" (${keyType(key)}): not used, ssh2 does not support such keys`)
      return usable
    })
  }
}

function fileMethod(file: KeyFile, username: string): AuthMethod {
  const key = file.publicKey ? ` (${describe(file.publicKey)})` : ''
  return {
    method: 'publickey',
    label: file.path + key,
    create: async () => {
      const key = await file.open()
      return typeof key === 'string' ? key : { type: 'publickey', username, key }
    },
  }
}

function agentMethod({ key, comment }: AgentKey, parts: { agent: string; user: string; path?: string }): AuthMethod {
  const { agent, user, path } = parts
  return {
    method: 'publickey',
    label: `${path ?? `"${comment}"`} in the agent (${describe(key)})`,
    create: async () => ({ type: 'agent', username: user, agent: new OneKeyAgent(agent, key) }),
  }
}

/** An agent with one of its keys: ssh2 would offer them all, in its own order. */
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

/** Many servers accept passwords by keyboard-interactive only. */
function passwordMethods(password: Secret | undefined, username: string): readonly AuthMethod[] {
  if (!password) return []
  return [
    {
      method: 'password',
      label: 'the password',
      create: async () => ({ type: 'password', username, password: password.reveal() }),
    },
    {
      method: 'keyboard-interactive',
      label: 'the password, by keyboard-interactive',
      create: async () => ({
        type: 'keyboard-interactive',
        username,
        prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => password.reveal())),
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
