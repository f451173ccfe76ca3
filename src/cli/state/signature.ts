import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { Problem } from '../../model/problem.ts'
import { errno } from '../../transport/errors.ts'

/** Signatures of this purpose only are accepted; an entry of allowed signers may name it as `namespaces`. */
const NAMESPACE = 'provision-plan'

/** The file beside a plan with its signature, as `ssh-keygen -Y sign` names it. */
export function signaturePath(plan: string): string {
  return `${plan}.sig`
}

/**
 * Signs a plan. ssh-keygen asks for the passphrase of the key in the terminal; of a public key, the agent has the private one.
 *
 * @returns the content of the signature's file
 * @throws Problem if ssh-keygen cannot sign with the key
 */
export function sign(plan: Buffer, key: string): string {
  const { out, errors, isGood } = sshKeygen(['-q', '-Y', 'sign', '-f', key, '-n', NAMESPACE], plan)
  if (isGood) return out
  throw new Problem(`ssh-keygen cannot sign the plan with ${key}`, {
    details: errors,
    next: 'Give the path of a private key, or of the public key of one that the agent has. The plan was not saved.',
  })
}

interface SignedPlan {
  /** The path of the plan, for messages. */
  readonly path: string
  readonly content: Buffer
}

/**
 * Checks a signature that is beside a plan.
 *
 * @returns false if the plan has none
 * @throws Problem if the plan was changed after it was signed
 */
export function assertIntact({ path, content }: SignedPlan): boolean {
  const signature = signaturePath(path)
  if (!existsSync(signature)) return false
  const { isGood, errors } = sshKeygen(['-Y', 'check-novalidate', '-n', NAMESPACE, '-s', signature], content)
  if (isGood) return true
  throw new Problem(`${signature} is not a signature of ${path}: the plan or its signature was changed`, {
    details: errors,
    next: `Make the plan again and sign it: provision plan --out ${path} --sign KEY`,
  })
}

/**
 * Checks that one of the allowed signers has signed a plan.
 *
 * @param signers the path of a file of allowed signers
 * @returns the name of the signer
 * @throws Problem if the plan is not signed, or by someone else
 */
export function assertSignedBy(plan: SignedPlan, signers: string): string {
  const { path, content } = plan
  if (!existsSync(signers))
    throw new Problem(`The file of allowed signers ${signers} does not exist`, {
      next: 'Give its path, relative to where the command is run.',
    })
  if (!assertIntact(plan))
    throw new Problem(`${path} is not signed, and ${signers} has the signers that are allowed`, {
      next: `To sign it: provision plan --out ${path} --sign KEY`,
    })
  const signature = signaturePath(path)
  const found = sshKeygen(['-Y', 'find-principals', '-s', signature, '-f', signers], content)
  for (const name of found.out.split('\n').filter(Boolean)) {
    const verified = sshKeygen(['-Y', 'verify', '-f', signers, '-I', name, '-n', NAMESPACE, '-s', signature], content)
    if (verified.isGood) return name
    found.errors.push(...verified.errors)
  }
  throw new Problem(`${path} is signed with a key that ${signers} does not allow`, {
    details: [...keyOf(signature, content), ...found.errors],
    next: 'One of the allowed signers has to make the plan and sign it.',
  })
}

/** `signed with ED25519 key SHA256:…`. */
function keyOf(signature: string, content: Buffer): readonly string[] {
  const { out } = sshKeygen(['-Y', 'check-novalidate', '-n', NAMESPACE, '-s', signature], content)
  const [, key] = / signature with (.*)/.exec(out) ?? []
  return key === undefined ? [] : [`signed with ${key}`]
}

interface Ended {
  readonly isGood: boolean
  readonly out: string
  readonly errors: string[]
}

function sshKeygen(args: readonly string[], input: Buffer): Ended {
  const { error, status, stdout, stderr } = spawnSync('ssh-keygen', args, { input, stdio: ['pipe', 'pipe', 'pipe'] })
  if (error && errno(error) === 'ENOENT')
    throw new Problem('ssh-keygen is not installed, which signs plans and checks signatures', {
      next: 'Install the client of OpenSSH, version 8.2 or later.',
    })
  const errors =
    stderr
      ?.toString()
      .split('\n')
      .filter((line) => line.trim() !== '') ?? []
  return { isGood: status === 0, out: stdout?.toString() ?? '', errors }
}
