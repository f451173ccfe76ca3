import { isIP } from 'node:net'
import { Problem } from '../../model/problem.ts'
import type { Diff } from '../../model/resource/diff.ts'
import { compare } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { read } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { stagingPath } from '../files/staging.ts'

/** Options of {@link systemHostname}. */
export interface SystemHostnameOptions extends StepOptions {
  /** The domain, so that `hostname --fqdn` prints `web1.example.com`. @default none */
  readonly domain?: string
}

/**
 * The name of the host, now and after a boot, and its line `127.0.1.1` in `/etc/hosts`. A line that gives the name another address is kept
 * instead. With cloud-init, `preserve_hostname` and `manage_etc_hosts` are set, so that it does not undo the name at the next boot.
 *
 * @param name without the domain
 * @throws TypeError for an invalid name
 * @throws Problem (on the host) if the user data of cloud-init overrides those settings
 * @example systemHostname('web1', { domain: 'example.com' })
 */
export function systemHostname(name: string, { domain, ...options }: SystemHostnameOptions = {}): Step {
  const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i
  if (!label.test(name) || isIP(name) !== 0 || /^\d+$/.test(name))
    throw new TypeError(`systemHostname: "${name}" is not a name of letters, digits and dashes, without a domain`)
  if (domain !== undefined && !domain.split('.').every((part) => label.test(part)))
    throw new TypeError(`systemHostname: "${domain}" is not a domain`)
  return hostnameStep({ name, domain }, options)
}

interface HostnameParams {
  readonly name: string
  readonly domain: string | undefined
}

interface NameState {
  /** The name in the kernel. */
  readonly now: string
  /** The name after a boot. */
  readonly kept: string
  readonly hosts: readonly string[]
  /** The settings of cloud-init about names; undefined without cloud-init. */
  readonly cloud: { readonly isSet: boolean; readonly userData: readonly string[] } | undefined
}

const CLOUD = '/etc/cloud/cloud.cfg.d/99-provision-hostname.cfg'
const CLOUD_TEXT = 'preserve_hostname: true\nmanage_etc_hosts: false\n'

const hostnameStep = resource<HostnameParams, NameState>('hostname', {
  id: ({ name }) => name,
  sets: () => [{ type: 'path', name: '/etc/hostname' }],
  affects: 'itself',
  read: () =>
    read(
      sh`text=; read -r text </proc/sys/kernel/hostname; printf 'now:%s\n' "$text"
text=; [ ! -r /etc/hostname ] || while IFS= read -r line || [ "$line" ]; do case $line in ''|'#'*) ;; *) text=$line; break ;; esac; done </etc/hostname
printf 'kept:%s\n' "$text"
[ ! -r /etc/hosts ] || while IFS= read -r line || [ "$line" ]; do printf 'hosts:%s\n' "$line"; done </etc/hosts
if [ -d /etc/cloud/cloud.cfg.d ] && [ ! -e /etc/cloud/cloud-init.disabled ]; then
  echo cloud:
  [ ! -r ${CLOUD} ] || while IFS= read -r line || [ "$line" ]; do printf 'set:%s\n' "$line"; done <${CLOUD}
  [ ! -r /var/lib/cloud/instance/user-data.txt ] || grep -aE '^(preserve_hostname|manage_etc_hosts):' /var/lib/cloud/instance/user-data.txt | while IFS= read -r line; do printf 'user:%s\n' "$line"; done
fi
:`,
      ({ stdout }): NameState => {
        const lines = stdout.split('\n')
        const all = (mark: string) =>
          lines.flatMap((line) => (line.startsWith(`${mark}:`) ? [line.slice(mark.length + 1)] : []))
        const cloud = { isSet: all('set').join('\n') === CLOUD_TEXT.trimEnd(), userData: all('user') }
        return {
          now: all('now')[0] ?? '',
          kept: all('kept')[0] ?? '',
          hosts: all('hosts'),
          cloud: lines.includes('cloud:') ? cloud : undefined,
        }
      },
      {
        shared: true,
        dependsOn: ['/proc/sys/kernel/hostname', '/etc/hostname', '/etc/hosts', '/etc/cloud', '/var/lib/cloud'],
        fakeValue: ({ paths, facts, sysctls }) => {
          const text = (path: string) => paths.get(path)?.content?.toString().trimEnd()
          return {
            now: sysctls.get('kernel.hostname') ?? facts.hostname,
            kept: text('/etc/hostname') ?? facts.hostname,
            hosts: (text('/etc/hosts') ?? '').split('\n'),
            cloud: undefined,
          }
        },
      },
    ),
  diff: (params, have): Diff | undefined => {
    const { name } = params
    const problem = have.cloud && overridden(have.cloud.userData)
    const found = compare(
      { name, 'name at boot': name, '/etc/hosts': lineFor(params), 'cloud-init': have.cloud && 'keeps the name' },
      {
        name: have.now,
        'name at boot': have.kept,
        '/etc/hosts': isResolved(params, have.hosts) ? lineFor(params) : ownLine(have.hosts),
        'cloud-init': have.cloud && (have.cloud.isSet ? 'keeps the name' : 'sets the name'),
      },
    )
    if (problem) throw problem
    return found
  },
  apply: (params, { hosts, cloud }) => {
    const { name } = params
    const commands = [
      sh`printf '%s\n' ${name} >/etc/hostname && { command -v hostname >/dev/null && hostname ${name} || printf '%s\n' ${name} >/proc/sys/kernel/hostname; }`,
    ]
    if (!isResolved(params, hosts)) {
      const at = stagingPath('/etc/hosts')
      const text = hostsText(params, hosts)
      // In containers the file is a mount, which cannot be replaced.
      commands.push(
        sh`cp -p /etc/hosts ${at} 2>/dev/null || install -m 0644 /dev/null ${at}
printf %s ${text} >${at} && { mv -fT ${at} /etc/hosts 2>/dev/null || { cat ${at} >/etc/hosts && rm -f ${at}; }; }`,
      )
    }
    if (cloud && !cloud.isSet) commands.push(sh`printf %s ${CLOUD_TEXT} >${CLOUD}`)
    return commands
  },
  simulate: (params, host) => {
    const text = host.paths.get('/etc/hosts')?.content?.toString().trimEnd() ?? ''
    const file = { type: 'file', owner: 'root', group: 'root', mode: '0644' } as const
    host.sysctls.set('kernel.hostname', params.name)
    putPath(host, '/etc/hostname', { ...file, content: Buffer.from(`${params.name}\n`) })
    const hosts = text.split('\n')
    if (!isResolved(params, hosts))
      putPath(host, '/etc/hosts', { ...file, content: Buffer.from(hostsText(params, hosts)) })
  },
})

/** Debian gives the name of the host the address 127.0.1.1, since localhost has 127.0.0.1. */
function lineFor({ name, domain }: HostnameParams): string {
  return domain === undefined ? `127.0.1.1 ${name}` : `127.0.1.1 ${name}.${domain} ${name}`
}

/** True if a line gives the name an address, with the domain in front of it. */
function isResolved({ name, domain }: HostnameParams, hosts: readonly string[]): boolean {
  return hosts.some((line) => {
    const [address = '', ...names] = wordsOf(line)
    if (isIP(address) === 0 || ['127.0.0.1', '::1'].includes(address)) return false
    return domain === undefined ? names.includes(name) : names[0] === `${name}.${domain}` && names.includes(name)
  })
}

function ownLine(hosts: readonly string[]): string | undefined {
  return hosts.find((line) => wordsOf(line)[0] === '127.0.1.1')?.replace(/\s+/g, ' ')
}

/** Replaces the lines of 127.0.1.1. */
function hostsText(params: HostnameParams, hosts: readonly string[]): string {
  const kept = hosts.filter((line) => wordsOf(line)[0] !== '127.0.1.1')
  const last = kept.findLastIndex((line) => wordsOf(line)[0]?.startsWith('127.'))
  return `${[...kept.slice(0, last + 1), lineFor(params), ...kept.slice(last + 1)].join('\n').trim()}\n`
}

function wordsOf(line: string): readonly string[] {
  return (line.split('#')[0] ?? '').split(/\s+/).filter((word) => word !== '')
}

/** The user data of an instance outranks the files in /etc/cloud. */
function overridden(userData: readonly string[]): Problem | undefined {
  const wrong = userData.find((line) =>
    /^preserve_hostname:\s*(?:false|no)\b|^manage_etc_hosts:(?!\s*(?:false|no)\b)/i.test(line),
  )
  if (wrong === undefined) return undefined
  return new Problem('The user data of cloud-init would undo the name at the next boot', {
    details: [wrong],
    next: 'Change the user data of the instance, or disable cloud-init: file("/etc/cloud/cloud-init.disabled", "").',
  })
}
