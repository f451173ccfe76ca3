import type { Command } from '../../model/resource/command.ts'
import { type FakeState, putPath, resolvePath } from '../../model/resource/fake-state.ts'
import { type Kind, resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { Secret } from '../../shell/secret.ts'
import { type Shell, sh, withText } from '../../shell/sh.ts'
import { checkedMode, checkPath } from '../arguments.ts'
import { bytesOf, type Content, type FileParams, isBinary, LocalFile, sizeOf, textOf } from './content.ts'
import { fileDiff, hasContent } from './file-diff.ts'
import {
  copyToRemoved,
  directoryOf,
  ensureDirectory,
  removeStrayFiles,
  showWriteError,
  stagingPath,
  upload,
} from './staging.ts'
import { type AbsolutePath, type Entry, entryAt, resolvedEntryAt } from './stat.ts'

export interface FileOptions extends StepOptions {
  /** @default 'root' */
  readonly owner?: string
  /** @default the owner's name */
  readonly group?: string
  /** Three or four octal digits. @default '0644'; '0600' for secret content */
  readonly mode?: string
  /** Follows a symbolic link at the path; otherwise the link is replaced and its target is not changed. @default false */
  readonly follow?: boolean
  /**
   * Copies a file that is replaced to `/var/lib/provision/removed`, into a folder named by the time. For files that others may have
   * edited. @default false
   */
  readonly backup?: boolean
  /** Creates the file only if nothing is at the path; content, owner and mode of a file there do not matter. @default false */
  readonly once?: boolean
}

/**
 * A file with this content. It is replaced atomically, and never has another owner or mode. ACLs and extended attributes of an existing
 * file are kept, missing parents are created.
 *
 * @throws TypeError for an invalid path or mode
 * @example file('/etc/motd', 'Welcome\n')
 */
export function file(
  path: AbsolutePath,
  content: Content,
  { owner = 'root', group = owner, mode, follow = false, backup = false, once = false, ...options }: FileOptions = {},
): Step {
  const what = `file ${path}`
  checkPath(what, path)
  const wanted = checkedMode(what, mode ?? (content instanceof Secret ? '0600' : '0644'))
  const params = { path, content, owner, group, mode: wanted, backup }
  if (once && follow) throw new TypeError(`${what}: with once no link is replaced, so there is none to follow`)
  if (once) return onceStep(params, options)
  return follow ? followingStep(params, options) : fileStep(params, options)
}

const FILE: Kind<FileParams, Entry | undefined> = {
  id: ({ path }) => path,
  sets: ({ path }) => [{ type: 'path', name: path }],
  affects: 'itself',
  canWaitForPackages: true,
  prepare: async ({ content }) => {
    if (content instanceof LocalFile) await content.hash()
  },
  read: ({ path, content }) => entryAt({ path, content: () => sizeOf(content) }),
  diff: (params, have) => fileDiff(params, have),
  apply: (params, have) =>
    have?.type === 'file' && hasContent(have, params.content)
      ? [{ script: setOwnership(params, have), inline: true }]
      : writeFile(params, have),
  simulate: (params, host) => simulateFile(params, host),
}

const REPLACED: Kind<FileParams, Entry | undefined> = {
  ...FILE,
  replace: (params) => ({
    path: params.path,
    make: (at) => stageFile(params, at),
    backup: params.backup ?? false,
    ...(params.content instanceof LocalFile && { content: params.content }),
  }),
}

const fileStep = resource('file', REPLACED)

/** Other steps may edit the file that it creates. */
const onceStep = resource('file', {
  ...REPLACED,
  edits: ({ path }) => path,
  diff: (params, have) => (have?.type === 'file' || have?.type === 'link' ? undefined : fileDiff(params, have)),
  simulate: (params, host) => {
    if (!host.paths.has(params.path)) simulateFile(params, host)
  },
})

/** Not allowed in a transaction: the target of the link is known only after the host was read. */
const followingStep = resource('file', {
  ...FILE,
  read: ({ path, content }) => resolvedEntryAt({ path, content: () => sizeOf(content) }),
  apply: (params, have) => FILE.apply({ ...params, path: have?.real ?? params.path }, have),
  simulate: (params, host) => simulateFile({ ...params, path: resolvePath(host, params.path) }, host),
})

/** Puts the file on a fake host; also for kinds that contain a file. */
export function simulateFile({ path, content, owner, group, mode }: FileParams, host: FakeState): void {
  const secret = content instanceof Secret
  putPath(host, path, { type: 'file', owner, group, mode, content: bytesOf(content), secret })
}

/** Writes the file next to its path and renames it. */
export function writeFile(params: FileParams, have: Entry | undefined): readonly Command[] {
  const { path, content } = params
  const at = stagingPath(path)
  const text = have === undefined && !(content instanceof LocalFile) ? textOf(content) : undefined
  if (text !== undefined && isSmall(text)) return [{ inline: true, script: createSmallFile(params, at, text) }]
  const create = stageFile(params, at, have)
  const finish = params.backup ? sh`${copyToRemoved(path)} && mv -fT ${at} ${path}` : sh`mv -fT ${at} ${path}`
  if (!(content instanceof LocalFile))
    return [{ inline: true, script: sh`{ ${create} && ${finish}; } || { rm -f ${at}; exit 1; }` }]
  return upload({ at, create, content, finish })
}

/** Creates the complete file with owner and mode at another path of the same directory. Starts few programs, which take most of the time. */
function stageFile({ path, content, owner, group, mode }: FileParams, at: string, have?: Entry): Shell {
  const directory = directoryOf(at)
  const keeps = have?.owner === owner && have.group === group && have.mode === mode
  const own = keeps ? sh`` : sh` && chown ${`${owner}:${group}`} ${at} && chmod ${mode} ${at}`
  return sh`
${ensureDirectory(directory)} && umask 077 && { ${removeStrayFiles(path)}; } &&
if [ -f ${path} ] && [ ! -L ${path} ]; then cp -p --attributes-only --preserve=all ${path} ${at}${own}
else install -o ${owner} -g ${group} -m ${mode} /dev/null ${at}; fi &&
${content instanceof LocalFile ? checkFreeSpace(directory, content.size) : writeContent(content, at)}`
}

/** Sets owner and mode. The file never has more permissions than it has before or after. */
function setOwnership({ path, owner, group, mode }: FileParams, have: Entry): Shell {
  const [before, after] = [Number.parseInt(have.mode, 8), Number.parseInt(mode, 8)]
  const both = (before & after).toString(8).padStart(4, '0')
  const same = (have.owner === owner && have.group === group) || both === have.mode
  return sh`${same ? sh`` : sh`chmod ${both} ${path} && `}chown ${`${owner}:${group}`} ${path} && chmod ${mode} ${path}`
}

/** Writes a content into a file that exists, and syncs it. */
export function writeContent(content: Exclude<Content, LocalFile>, at: string): Shell {
  const bytes = bytesOf(content)
  return isBinary(bytes)
    ? sh`{ printf %s ${bytes.toString('base64')} | base64 -d > ${at} && sync ${at} || { ${showWriteError(at)}; false; }; }`
    : sh`{ printf %s ${bytes.toString()} > ${at} && sync ${at} || { ${showWriteError(at)}; false; }; }`
}

/** Checked before the upload, which cannot be stopped cleanly. */
function checkFreeSpace(directory: string, size: number): Shell {
  return sh`{ free=$(($(stat -f -c '%f * %S' ${directory}))); [ "$free" -ge ${size} ] || { echo ${`Not enough space in ${directory}: ${size} bytes needed,`} "$free free." >&2; false; }; }`
}

/** Bytes that a shell writes into a pipe without another process. */
const MAX_SMALL = 4_000

function isSmall(text: string): boolean {
  return Buffer.byteLength(text) <= MAX_SMALL && !text.includes('\0')
}

/**
 * Creates a new file with one process: perl, which every Debian has, creates, fills, syncs and renames it, and prints the error.
 * Hosts without perl take four programs.
 */
function createSmallFile({ path, owner, group, mode }: FileParams, at: string, text: string): Shell {
  const size = Buffer.byteLength(text)
  const write = sh`{ ${ensureDirectory(directoryOf(at))} && umask 077 && { ${removeStrayFiles(path)}; } &&
if command -v perl >/dev/null; then perl -e ${PROGRAM} ${at} ${path} ${owner} ${group} ${mode}
else install -o ${owner} -g ${group} -m ${mode} /dev/null ${at} && head -c ${size} > ${at} && sync ${at} && mv -fT ${at} ${path}; fi; }`
  return sh`${withText(write, text)}[ $? = 0 ] || { rm -f ${at}; exit 1; }`
}

const PROGRAM = `$SIG{__WARN__} = sub {}; my ($at, $path, $owner, $group, $mode) = @ARGV;
sub id { my ($kind, $name, $id) = @_; $id = $name if !defined $id && $name =~ /^\\d+$/; defined $id or die "invalid $kind: '$name'\\n"; $id }
my $uid = id("user", $owner, scalar getpwnam $owner);
my $gid = id("group", $group, scalar getgrnam $group);
binmode STDIN; my $text = do { local $/; <STDIN> }; chop $text;
sub failed { die "cannot write $path: $!\\n" }
open(my $file, ">:raw", $at) or failed();
chown($uid, $gid, $at) && chmod(oct $mode, $at) or failed();
print $file $text or failed();
require IO::Handle; $file->flush && $file->sync or failed();
close($file) && rename($at, $path) or failed();`
