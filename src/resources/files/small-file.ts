import { withText } from '../../shell/script-parts.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { directoryOf, ensureDirectory, removeStrayFiles } from './staging.ts'

/** Bytes that a shell puts into a pipe by itself. */
const SMALL = 4_000

export interface NewFile {
  readonly path: string
  /** Where it is written before it is renamed. */
  readonly at: string
  readonly owner: string
  readonly group: string
  readonly mode: string
  readonly text: string
}

/** Whether {@link createSmallFile} can write this text. */
export function isSmall(text: string): boolean {
  return Buffer.byteLength(text) <= SMALL && !text.includes('\0')
}

/**
 * Writes a file where there is none, by one process: perl, which each Debian has, creates, fills, syncs and renames it, and says which
 * error there was. Hosts without perl do the same by four programs.
 */
export function createSmallFile({ path, at, owner, group, mode, text }: NewFile): Shell {
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
