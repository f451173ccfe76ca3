import { Problem } from '../../model/problem.ts'
import type { Command } from '../../model/resource/command.ts'
import { compare } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { batchRead, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { Secret } from '../../shell/secret.ts'
import { forPaths, type Shell, sh } from '../../shell/sh.ts'
import { checkedMode, checkPath } from '../arguments.ts'
import { directoryOf, ensureDirectory, removeStrayFiles, stagingPath } from '../files/staging.ts'
import { type AbsolutePath, type Entry, entryAt, matchOwnership, wrongType } from '../files/stat.ts'
import { RemoteFile } from './remote-file.ts'

/** The options of `download`. */
export type DownloadOptions = StepOptions & {
  /** @default 'root' */
  readonly owner?: string
  /** @default the owner's name */
  readonly group?: string
  /** Three or four octal digits. @default '0644' */
  readonly mode?: string
  /** Headers of the request, such as `authorization`. They reach the host on standard input. @default none */
  readonly headers?: Readonly<Record<string, string | Secret>>
  /** True to fetch it on this machine and send it to the hosts, which may have no way out. @default only if a host has no curl and no wget */
  readonly viaController?: boolean
} & (
    | {
        /** The SHA-256 of the content, 64 hexadecimal digits. */
        readonly sha256: string
        readonly onlyIfMissing?: never
      }
    | {
        /** Downloads it once and never compares its content. */
        readonly onlyIfMissing: true
        readonly sha256?: never
      }
  )

/**
 * A file from a URL, with curl or wget of the host. It replaces the file at the path only after its checksum was verified.
 *
 * @throws TypeError for an invalid path, URL, checksum or mode
 * @example
 * download('/usr/local/bin/tool', 'https://example.com/tool-1.2', {
 *   sha256: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
 *   mode: '0755',
 * })
 */
export function download(
  path: AbsolutePath,
  url: string,
  {
    owner = 'root',
    group = owner,
    mode = '0644',
    headers = {},
    viaController = false,
    sha256,
    onlyIfMissing: _onlyIfMissing,
    timeout = '30m',
    ...options
  }: DownloadOptions,
): Step {
  const what = `download ${path}`
  checkPath(what, path)
  checkUrl(what, url)
  if (sha256 !== undefined) checkSum(what, sha256)
  for (const [name, value] of Object.entries(headers))
    if (!/^[A-Za-z0-9-]+$/.test(name) || (typeof value === 'string' && /[\r\n]/.test(value)))
      throw new TypeError(`${what}: the header ${JSON.stringify(name)} is not one line`)
  const wanted = { path, owner, group, mode: checkedMode(what, mode), sha256: sha256?.toLowerCase() }
  return downloadStep({ ...wanted, url, headers, viaController }, { timeout, ...options })
}

/** @throws TypeError for anything but a SHA-256 in hexadecimal */
export function checkSum(what: string, sha256: string): void {
  if (!/^[0-9a-f]{64}$/i.test(sha256)) throw new TypeError(`${what}: sha256 should have 64 hexadecimal digits`)
}

function checkUrl(what: string, url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol) || /[\s"\\]/.test(url))
    throw new TypeError(`${what}: ${JSON.stringify(url)} is not an http or https URL`)
  if (parsed.username !== '' || parsed.password !== '')
    throw new TypeError(`${what}: the URL has credentials, which process lists show: use headers with a Secret`)
}

interface DownloadParams {
  readonly path: string
  readonly url: string
  readonly owner: string
  readonly group: string
  readonly mode: string
  readonly sha256: string | undefined
  readonly headers: Readonly<Record<string, string | Secret>>
  readonly viaController: boolean
}

/** The program of the host that downloads. */
type Tool = 'curl' | 'wget' | undefined

interface Fetched {
  readonly tool: Tool
  /** In hexadecimal; undefined if there is no file. */
  readonly sha256: string | undefined
}

/** One `sha256sum` for all downloads of a host. */
const fetchedFile = batchRead<{ readonly path: string; readonly isHashed: boolean }, Fetched>({
  name: 'downloads',
  dependsOn: ({ path }) => [path, '/usr/bin/curl', '/usr/bin/wget'],
  shared: true,
  script: (
    queries,
  ) => sh`if command -v curl >/dev/null; then printf 'curl\0'; elif command -v wget >/dev/null; then printf 'wget\0'; else printf 'none\0'; fi
${forPaths(
  queries.flatMap(({ path, isHashed }) => (isHashed ? [path] : [])),
  (paths) => sh`sha256sum -z -- ${paths} 2>/dev/null`,
)}`,
  parse: ({ stdout }, queries) => {
    const [tool, ...sums] = stdout.split('\0')
    const hashes = new Map(sums.map((line) => [line.slice(66), line.slice(0, 64)]))
    return queries.map(({ path }) => ({
      tool: tool === 'curl' || tool === 'wget' ? tool : undefined,
      sha256: hashes.get(path),
    }))
  },
  fakeValue: ({ values }, { path }) => ({ tool: 'curl', sha256: values.get(`sha256 of ${path}`) }),
})

const downloadStep = resource<DownloadParams, readonly [Entry | undefined, Fetched]>('download', {
  id: ({ path }) => path,
  sets: ({ path }) => [{ type: 'path', name: path }],
  affects: 'itself',
  read: ({ path, sha256 }) => readBoth(entryAt({ path }), fetchedFile({ path, isHashed: sha256 !== undefined })),
  diff: ({ path, url, owner, group, mode, sha256 }, [entry, { sha256: has }]) => {
    if (entry && entry.type !== 'file' && entry.type !== 'link') throw wrongType(path, entry, 'a file')
    const there = entry?.type === 'file' ? entry : undefined
    return compare(
      { owner, group, mode, content: sha256?.slice(0, 12) ?? url },
      matchOwnership(there, { owner, group }) && {
        ...matchOwnership(there, { owner, group }),
        content: sha256 === undefined ? url : has?.slice(0, 12),
      },
    )
  },
  apply: (params, [entry, have]) => {
    const { path, owner, group, mode, sha256 } = params
    if (entry?.type === 'file' && (sha256 === undefined || sha256 === have.sha256))
      return [{ script: sh`chown ${`${owner}:${group}`} ${path} && chmod ${mode} ${path}`, inline: true }]
    return [have.tool === undefined || params.viaController ? sent(params) : fetched(params, have.tool)]
  },
  simulate: ({ path, owner, group, mode, sha256 }, host) => {
    putPath(host, path, { type: 'file', owner, group, mode, content: Buffer.alloc(0) })
    if (sha256 !== undefined) host.values.set(`sha256 of ${path}`, sha256)
  },
})

function fetched(params: DownloadParams, tool: 'curl' | 'wget'): Command {
  const { url, headers } = params
  return {
    script: inPlace(
      params,
      tool === 'curl'
        ? (at) => sh`curl -K - -o ${at}`
        : (at) =>
            sh`config=$(mktemp) && trap 'rm -f "$config"' EXIT && cat >"$config" && wget -nv --config="$config" --tries=3 --timeout=60 -O ${at} -- ${url}`,
    ),
    input: tool === 'curl' ? curlConfig(url, headers) : wgetConfig(headers),
    explain: (stderr) => explainDownload(stderr, url),
  }
}

function sent(params: DownloadParams): Command {
  return {
    script: inPlace(params, (at) => sh`cat >${at}`),
    input: new RemoteFile(params),
    reportsProgress: true,
    explain: (stderr) => explainDownload(stderr, params.url),
  }
}

/** Writes the file next to its path, verifies it and renames it. */
function inPlace({ path, owner, group, mode, sha256 }: DownloadParams, write: (at: string) => Shell): Shell {
  const at = stagingPath(path)
  const verify =
    sha256 === undefined
      ? sh`:`
      : sh`sum=$(sha256sum <${at}) && sum=\${sum%% *} && { [ "$sum" = ${sha256} ] || { echo "the checksum is $sum" >&2; false; }; }`
  return sh`{ ${ensureDirectory(directoryOf(path))} && umask 077 && { ${removeStrayFiles(path)}; } &&
install -o ${owner} -g ${group} -m ${mode} /dev/null ${at} && ${write(at)} && ${verify} && sync ${at} && mv -fT -- ${at} ${path}; } || { rm -f ${at}; exit 1; }`
}

/** Options and headers as `curl -K` reads them. */
function curlConfig(url: string, headers: DownloadParams['headers']): Secret {
  return new Secret(() =>
    [
      `url = "${url}"`,
      ...['fail', 'location', 'silent', 'show-error', 'connect-timeout = 30', 'retry = 3'],
      ...['speed-limit = 1', 'speed-time = 60', 'proto = "=http,https"'],
      ...headerLines(headers).map((line) => `header = "${line.replace(/["\\]/g, '\\$&')}"`),
    ].join('\n'),
  )
}

function wgetConfig(headers: DownloadParams['headers']): Secret {
  return new Secret(() =>
    headerLines(headers)
      .map((line) => `header = ${line}\n`)
      .join(''),
  )
}

function headerLines(headers: DownloadParams['headers']): readonly string[] {
  return Object.entries(headers).map(([name, value]) => {
    const text = value instanceof Secret ? value.reveal() : value
    if (/[\r\n]/.test(text)) throw new Problem(`The value of the header ${name} has more than one line`)
    return `${name}: ${text}`
  })
}

function explainDownload(stderr: string, url: string) {
  const [, sum] = /^the checksum is ([0-9a-f]{64})$/m.exec(stderr) ?? []
  if (sum !== undefined)
    return {
      what: `${url} has another content: its SHA-256 is ${sum}`,
      next: 'Compare it with the one that the vendor publishes. The file on the host was not replaced.',
    }
  return undefined
}
