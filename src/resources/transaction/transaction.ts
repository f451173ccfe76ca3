import { randomBytes } from 'node:crypto'
import { type Probe, probeScript } from '../../model/playbook/probe.ts'
import type { Confirmation } from '../../model/resource/command.ts'
import type { Diff } from '../../model/resource/diff.ts'
import type { Handler } from '../../model/resource/handler.ts'
import { readAll } from '../../model/resource/read.ts'
import { type Replacement, resource, type Step } from '../../model/resource/step.ts'
import type { Duration } from '../../shell/duration.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { stagingPath, upload } from '../files/staging.ts'
import { isUnitFile } from '../systemd/unit-state.ts'
import { type FileSwap, ROLLED_BACK, rollBackTransaction } from './rollback.ts'
import { transactionScript } from './script.ts'

export interface TransactionOptions {
  /** Checks the new files before they are in place. It sees them at their final paths. */
  readonly validate?: Shell
  /** Makes the services use the new files; must also start services that do not run yet. */
  readonly activate?: Handler
  /** Must succeed afterwards. */
  readonly probe?: Probe
  /**
   * For changes that may cut off the host, such as a firewall: provision must confirm them over a new connection within
   * `timeouts.confirm` of the inventory (60 s by default). Otherwise, and at a reboot before that, the old files are restored.
   * @default false
   */
  readonly confirmed?: boolean
  /** @default '2m' */
  readonly timeout?: Duration
}

/**
 * Files that are changed together or not at all. They are validated before they are in place; if the activation or the probe fails, the
 * old files are restored and activated, and the step fails.
 *
 * @param steps `file`, `link`, `absent`, `unit`, and the kinds that edit a file: `line`, `block`, `replace`, `setting`. Several may edit one file
 * @throws TypeError for a step of another kind, and for two steps with the same path unless both edit it
 * @example transaction('nginx configuration', [file('/etc/nginx/nginx.conf', conf)], { validate: sh`nginx -t -q`, activate: reloaded('nginx') })
 */
export function transaction(label: string, steps: readonly ReplacingStep[], options: TransactionOptions = {}): Step {
  const paths = new Map<string, Step>()
  for (const step of steps) {
    const path = step.replace?.path ?? step.edit?.path
    const other = path === undefined ? undefined : paths.get(path)
    if (other && !(other.edit && step.edit))
      throw new TypeError(`transaction "${label}": two steps have the path ${path}`)
    if (path !== undefined) paths.set(path, step)
    else throw new TypeError(`transaction "${label}": ${step.kind} ${step.name} cannot be rolled back`)
    if (step.allowedFailure !== undefined || step.throttle)
      throw new TypeError(`transaction "${label}": ${step.kind} ${step.name} has no failure or limit of its own`)
    if (step.notify.length > 0)
      throw new TypeError(`transaction "${label}": pass the handler of ${step.name} as activate`)
  }
  if (options.activate?.commands.some(({ as, input }) => as !== undefined || input !== undefined))
    throw new TypeError(`transaction "${label}": the commands of activate cannot have a user or an input`)
  return transactionStep({ label, steps, ...options })
}

/** A step that a transaction can apply and roll back. */
export type ReplacingStep = Step & { readonly replace?: Replacement }

interface TransactionParams extends TransactionOptions {
  readonly label: string
  readonly steps: readonly ReplacingStep[]
}

const transactionStep = resource<TransactionParams, readonly unknown[]>('transaction', {
  id: ({ label }) => label,
  canWaitForPackages: true,
  prepare: async ({ steps }) => {
    await Promise.all(steps.map((step) => step.prepare?.()))
  },
  read: ({ steps }) => readAll(steps.map(({ read }) => read)),
  diff: ({ steps }, have): Diff | undefined => {
    const parts = partsOf(steps, have).flatMap(({ step: { kind, name }, difference }) =>
      difference ? [{ name: `${kind} ${name}`, difference }] : [],
    )
    if (parts.length === 0) return undefined
    const texts = new Map(parts.flatMap(({ difference }) => difference.texts ?? []).map((text) => [text.path, text]))
    return { action: 'change', fields: [], parts, texts: [...texts.values()] }
  },
  apply: ({ label, steps, validate, activate, probe, confirmed, timeout = '2m' }, have) => {
    const id = randomBytes(6).toString('hex')
    const wait = confirmed ? confirmationWait(id) : undefined
    const swaps = swapsOf(partsOf(steps, have))
    const uploads = swaps.flatMap(({ at, make, content }) =>
      make && content ? upload({ at, create: make, content }) : [],
    )
    const script = transactionScript({
      label,
      id,
      swaps: swaps.map(({ content, ...swap }) => (content ? { ...swap, make: sh`[ -e ${swap.at} ]` } : swap)),
      validate,
      activate: activation(
        activate,
        swaps.map(({ path }) => path),
      ),
      confirmed: wait !== undefined,
      probe: wait ? sequence([probe ? probeScript(probe) : sh`:`, wait.script]) : probe && probeScript(probe),
    })
    return [
      ...uploads,
      {
        script,
        timeout,
        rolledBackStatus: ROLLED_BACK,
        rollback: rollBackTransaction({ id }),
        ...(wait && { confirm: wait }),
      },
    ]
  },
  parts: ({ steps }) => steps,
  simulate: ({ steps }, host) => {
    for (const { simulate } of steps) simulate?.(host)
  },
  satisfies: ({ activate }) => (activate ? [activate] : []),
})

interface Part {
  readonly step: ReplacingStep
  readonly difference: Diff | undefined
  /** The state of its path on the host. */
  readonly have: unknown
  /** The state of its path after this part and the parts before it. */
  readonly after: unknown
}

/** Compares each step. An edit is compared with the text that the edits before it leave. */
function partsOf(steps: readonly ReplacingStep[], have: readonly unknown[]): readonly Part[] {
  const states = new Map<string, unknown>()
  return steps.map((step, i) => {
    const { edit } = step
    if (!edit) return { step, difference: step.diff(have[i]), have: have[i], after: undefined }
    const before = states.has(edit.path) ? states.get(edit.path) : have[i]
    const difference = step.diff(before)
    const after = edit.after(before)
    states.set(edit.path, after)
    return { step, difference, have: have[i], after }
  })
}

interface Swap extends FileSwap {
  readonly content: Replacement['content']
}

/** One for each path that changes. */
function swapsOf(parts: readonly Part[]): readonly Swap[] {
  const swaps = new Map<string, Swap>()
  for (const { step, difference, have, after } of parts) {
    const { replace, edit } = step
    const path = replace?.path ?? edit?.path
    if (path === undefined || !difference) continue
    const at = stagingPath(path)
    const make = edit ? edit.stage(have, after, at) : replace?.make?.(at)
    swaps.set(path, { path, at, make, backup: replace?.backup ?? false, content: replace?.content })
  }
  return [...swaps.values()]
}

/** Reloads systemd first if the files include units; a handler sees `$provision_reloaded`. */
function activation(handler: Handler | undefined, paths: readonly string[]): Shell | undefined {
  const commands = handler && sequence(handler.commands.map((command) => command.script))
  if (!paths.some(isUnitFile)) return commands
  return sh`systemctl daemon-reload || exit 1
provision_reloaded=yes
${commands ?? sh``}`
}

function sequence(scripts: readonly Shell[]): Shell {
  return scripts.reduce(
    (all, one) => sh`${all}
(${one}) || exit 1`,
    sh``,
  )
}

/** Waits on the host for a new connection from provision. */
interface ConfirmationWait extends Confirmation {
  /** Fails if no new connection comes in time. */
  readonly script: Shell
}

/**
 * The host measures the time, since provision may be cut off. It is `timeouts.confirm` of the inventory (60 s by default) times the
 * timeout factor, and starts when the script runs.
 *
 * @param id of the transaction
 */
export function confirmationWait(id: string): ConfirmationWait {
  const waiting = `/run/provision-${id}.waiting`
  const confirmed = `/run/provision-${id}.confirmed`
  return {
    ready: sh`[ -e ${waiting} ]`,
    confirm: sh`[ -e ${waiting} ] && : > ${confirmed}`,
    script: sh`
trap 'rm -f '${waiting}' '${confirmed} EXIT
seconds=$((\${PROVISION_CONFIRM_SECONDS:-60} * \${PROVISION_TIMEOUT_PERCENT:-100} / 100))
[ "$seconds" -ge 1 ] || seconds=1
: > ${waiting}
read -r now _ </proc/uptime
end=$((\${now%%.*} + seconds))
until [ -e ${confirmed} ]; do
  read -r now _ </proc/uptime
  [ "\${now%%.*}" -lt "$end" ] || { echo "No new connection arrived within $seconds s." >&2; exit 1; }
  sleep 0.2
done`,
  }
}
