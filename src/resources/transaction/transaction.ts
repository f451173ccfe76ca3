import { randomBytes } from 'node:crypto'
import { type Probe, probeScript } from '../../model/playbook/probe.ts'
import type { Diff } from '../../model/resource/diff.ts'
import type { Handler } from '../../model/resource/handler.ts'
import { readAll } from '../../model/resource/read.ts'
import { type Replacement, resource, type Step } from '../../model/resource/step.ts'
import type { Duration } from '../../shell/duration.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { stagingPath } from '../files/staging.ts'
import { upload } from '../files/upload.ts'
import { isUnitFile } from '../systemd/unit-reload.ts'
import { confirmationWait } from './confirm.ts'
import { ROLLED_BACK } from './plan.ts'
import { rollBackTransaction } from './rollback.ts'
import { transactionScript } from './script.ts'

export interface TransactionOptions {
  /**
   * Says whether the new files are good. It runs where it sees them in their final places, before they are there for anybody
   * else.
   */
  readonly validate?: Shell
  /** Puts the files in force. It must also start what does not run yet. */
  readonly activate?: Handler
  /** What must come true afterwards. */
  readonly probe?: Probe
  /**
   * For what decides by which way the host is reached, such as a firewall. It counts when the machine that runs this has come over
   * a new connection within 15 s; what is open already proves nothing. A host that boots meanwhile boots with the old files.
   * @default false
   */
  readonly confirmed?: boolean
  /** @default '2m' */
  readonly timeout?: Duration
}

/**
 * Files that only make sense together: all of them are valid and in force, or none is. They are checked before they are in
 * place; when activation or the probe fails, the old ones are put back and put in force again, and the step fails.
 *
 * @throws TypeError for a step that cannot be taken back, and for two steps for one path
 * @param steps files, links and absences; what cannot be taken back may not stand in a transaction
 * @example transaction('nginx configuration', [file('/etc/nginx/nginx.conf', conf)], { validate: sh`nginx -t -q`, activate: reloaded('nginx') })
 */
export function transaction(
  label: string,
  steps: readonly ReplacingStep[],
  options: TransactionOptions = {},
): Step {
  const paths = new Set<string>()
  for (const step of steps) {
    const path = step.replace?.path
    if (path !== undefined && paths.has(path))
      throw new TypeError(`transaction "${label}": two of its steps are for ${path}`)
    if (path !== undefined) paths.add(path)
    if (!step.replace)
      throw new TypeError(`transaction "${label}": ${step.kind} ${step.name} cannot be taken back`)
    if (step.notify.length > 0)
      throw new TypeError(`transaction "${label}": give the handler of ${step.name} as activate`)
  }
  if (options.activate?.commands.some(({ as, input }) => as !== undefined || input !== undefined))
    throw new TypeError(
      `transaction "${label}": what activates it has neither a user nor an input of its own`,
    )
  return transactionStep({ label, steps, ...options })
}

/** A step that a transaction can make and take back. */
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
    const parts = steps.flatMap((step, i) => {
      const difference = step.diff(have[i])
      return difference ? [{ name: `${step.kind} ${step.name}`, difference }] : []
    })
    if (parts.length === 0) return undefined
    return {
      action: 'change',
      fields: [],
      parts,
      texts: parts.flatMap(({ difference }) => difference.texts ?? []),
    }
  },
  apply: ({ label, steps, validate, activate, probe, confirmed, timeout = '2m' }, have) => {
    const id = randomBytes(6).toString('hex')
    const visit = confirmed ? confirmationWait(id) : undefined
    const swaps = steps.flatMap(({ replace, diff }, i) => {
      if (!replace || !diff(have[i])) return []
      const at = stagingPath(replace.path)
      return [
        {
          path: replace.path,
          at,
          make: replace.make?.(at),
          backup: replace.backup ?? false,
          content: replace.content,
        },
      ]
    })
    const ahead = swaps.flatMap(({ at, make, content }) =>
      make && content ? upload({ at, make, content }) : [],
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
      confirmed: visit !== undefined,
      probe: visit ? sequence([probe ? probeScript(probe) : sh`:`, visit.wait]) : probe && probeScript(probe),
    })
    return [
      ...ahead,
      {
        script,
        timeout,
        rolledBackStatus: ROLLED_BACK,
        rollback: rollBackTransaction({ id }),
        ...(visit && { confirm: visit }),
      },
    ]
  },
  parts: ({ steps }) => steps,
  simulate: ({ steps }, host) => {
    for (const { simulate } of steps) simulate?.(host)
  },
  satisfies: ({ activate }) => (activate ? [activate] : []),
})

/** Where units are among the files, systemd reads them before anything is started; a handler sees that as `$provision_reloaded`. */
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
