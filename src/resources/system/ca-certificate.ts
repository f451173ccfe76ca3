import { X509Certificate } from 'node:crypto'
import { batchRead, readBoth } from '../../model/resource/read.ts'
import { onlyFor, type Step, type StepOptions } from '../../model/resource/step.ts'
import { joinLines, sh } from '../../shell/sh.ts'
import { checkName } from '../arguments.ts'
import { absent } from '../files/absent.ts'
import { file } from '../files/file.ts'

const DIRECTORY = '/usr/local/share/ca-certificates'
/** The certificates that programs trust. `update-ca-certificates` writes it. */
const BUNDLE = '/etc/ssl/certs/ca-certificates.crt'

/**
 * A certificate authority that the programs of the host trust, in `/usr/local/share/ca-certificates/NAME.crt`. The step is in its state
 * when the list of all trusted certificates contains it too. The package ca-certificates must be installed.
 *
 * `caCertificate.absent(name)` removes it from both.
 *
 * @param name the name of the file, without its suffix
 * @param pem one certificate
 * @throws TypeError for a name that no file has, and for a text that is not one certificate of an authority
 * @example
 * import { readFileSync } from 'node:fs'
 * caCertificate('company', readFileSync('files/company.pem', 'utf8'), { notify: restarted('app') })
 */
export function caCertificate(name: string, pem: string, options: StepOptions = {}): Step {
  checkName('caCertificate: the name', name)
  checkCertificate(name, pem)
  const text = pem.trimEnd()
  return trusted(name, file(`${DIRECTORY}/${name}.crt`, `${text}\n`, options), {
    line: identifyingLine(text),
    isTrusted: true,
  })
}

caCertificate.absent = (name: string, options: StepOptions = {}): Step => {
  checkName('caCertificate.absent: the name', name)
  return trusted(name, absent(`${DIRECTORY}/${name}.crt`, options), { line: undefined, isTrusted: false })
}

function checkCertificate(name: string, pem: string): void {
  const reject = (why: string) => {
    throw new TypeError(`caCertificate ${name}: ${why}`)
  }
  if (pem.includes('PRIVATE KEY')) reject('the text contains a private key')
  const count = pem.split('-----BEGIN CERTIFICATE-----').length - 1
  if (count !== 1) reject(`the text has ${count} certificates in PEM format: give one in each step`)
  let certificate: X509Certificate | undefined
  try {
    certificate = new X509Certificate(pem)
  } catch {
    reject('the text is not a certificate')
  }
  if (!certificate?.ca) reject('it is not the certificate of an authority')
}

/** The last line of base64 with the full width: it is part of the signature, so no other certificate has it. */
function identifyingLine(pem: string): string {
  const lines = pem.split('\n').map((line) => line.trim())
  return lines.findLast((line) => line.length === 64) ?? lines.at(-2) ?? ''
}

interface Trust {
  /** A line of the certificate; undefined if it is to be removed. */
  readonly line: string | undefined
  readonly isTrusted: boolean
}

function trusted(name: string, step: Step, { line, isTrusted }: Trust): Step {
  const stateOf = (have: unknown): readonly [unknown, boolean] => {
    // Undefined on a new host.
    const [entry, isThere]: readonly unknown[] = Array.isArray(have) ? have : []
    return [entry, isThere === true]
  }
  const update = isTrusted ? sh`update-ca-certificates` : sh`update-ca-certificates --fresh`
  return Object.freeze({
    ...step,
    kind: 'caCertificate',
    name,
    forPlatform: onlyFor(['debian']),
    read: readBoth(step.read, inBundle({ name, line })),
    diff: (have: unknown) => {
      const [entry, isThere] = stateOf(have)
      const difference = step.diff(entry)
      if (difference || isThere === isTrusted) return difference
      return {
        action: 'change',
        fields: [
          {
            name: 'trusted certificates',
            from: isThere ? 'with it' : 'without it',
            to: isTrusted ? 'with it' : 'without it',
          },
        ],
      }
    },
    apply: (have: unknown) => {
      const [entry] = stateOf(have)
      const written = step.diff(entry) ? step.apply(entry) : []
      return [...written, { script: sh`${update} >/dev/null`, explain: explainMissing }]
    },
  } satisfies Step)
}

interface TrustQuery {
  readonly name: string
  readonly line: string | undefined
}

/** True if programs trust the certificate: it has a link, and the list contains its line. */
const inBundle = batchRead<TrustQuery, boolean>({
  name: 'trusted certificates',
  dependsOn: ({ name }) => [`${DIRECTORY}/${name}.crt`, '/etc/ssl/certs'],
  shared: true,
  script: (all) =>
    joinLines(
      all.map(({ name, line }) => {
        const link = `/etc/ssl/certs/${name}.pem`
        const isThere = line === undefined ? sh`[ -L ${link} ]` : sh`[ -L ${link} ] && grep -qsF -- ${line} ${BUNDLE}`
        return sh`if ${isThere}; then echo yes; else echo no; fi`
      }),
    ),
  parse: ({ stdout }, all) => all.map((_one, i) => stdout.split('\n')[i] === 'yes'),
  fakeValue: ({ paths }, { name }) => paths.has(`${DIRECTORY}/${name}.crt`),
})

function explainMissing(stderr: string) {
  if (!/update-ca-certificates: not found/.test(stderr)) return undefined
  return { what: 'the package ca-certificates is not installed', next: "Put pkg('ca-certificates') before this step." }
}
