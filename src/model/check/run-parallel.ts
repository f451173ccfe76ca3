import { type Duration, elapsed, milliseconds } from '../../shell/duration.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { Problem, Unknown } from '../problem.ts'
import { batchRead } from '../resource/read.ts'

interface Query {
  readonly script: Shell
  /** @default `timeouts.check` of the inventory */
  readonly within?: Duration
  /** The number of bytes of its output to keep, from the end. @default 1500 */
  readonly keep?: number
}

/** The end of one script. Times are in milliseconds. */
export interface ScriptOutcome {
  /** `limit`: it was stopped because it took too long; `unstarted`: the host could not start a process for it. */
  readonly ended: 'exit' | 'signal' | 'limit' | 'unstarted'
  /** The exit status, or the number of the signal. */
  readonly code: number
  /** The end of its output, of both streams. */
  readonly said: string
  readonly ms: number
  /** Its time limit, adjusted to the speed of the host. */
  readonly limit: number
  /** The longest measured time of an empty script on the host. */
  readonly empty: number
  /** It ran between these two times, in milliseconds since 1970 by the controller's clock. */
  readonly from: number
  readonly to: number
}

/** The exit status for an unknown result: EX_TEMPFAIL of sysexits.h. */
const UNKNOWN = 75

/** Runs scripts on a host, a few at a time, each with a time limit: see {@link CHECK_RUNNER}. */
export const runParallel = batchRead<Query, ScriptOutcome>({
  name: 'side by side',
  script: (queries) => {
    const words = queries.flatMap(({ script, within, keep = 1500 }) => [
      within === undefined ? '' : String(Math.max(0.001, milliseconds(within) / 1000)),
      String(keep),
      script.text,
    ])
    return sh`PERL_BADLANG=0 perl -e ${CHECK_RUNNER} ${String(Date.now())} ${words}`
  },
  parse: ({ stdout, stderr }, queries) => {
    const heard = Date.now()
    const lines = new Map(stdout.split('\n').map((line) => [line.split(' ', 1)[0], line.split(' ').slice(1)]))
    const [asked = Number.NaN, total = Number.NaN, empty = Number.NaN] = (lines.get('all') ?? []).map(Number)
    return queries.map((_query, i) => {
      const [how, code, ...rest] = lines.get(String(i)) ?? []
      const ended = ENDINGS.find((one) => one === how)
      if (ended === undefined || Number.isNaN(total)) throw silent(stderr)
      const [began = 0, end = 0, limit = 0] = rest.slice(0, 3).map((seconds) => Number(seconds) * 1000)
      return {
        ended,
        code: Number(code),
        said: Buffer.from(rest[3] ?? '', 'hex').toString(),
        ms: Math.round(end - began),
        limit: Math.round(limit),
        empty: Math.round(empty * 1000),
        // The clock of the measurement has a resolution of 10 ms.
        from: asked + began - 10,
        to: heard - (total * 1000 - end) + 10,
      }
    })
  },
})

const ENDINGS = ['exit', 'signal', 'limit', 'unstarted'] as const

function silent(stderr: string): Unknown {
  const why = stderr.trim().split('\n').at(-1) || 'the host did not say why'
  return new Unknown(`The checks did not run to their end: ${why}`, {
    ...(why.includes('perl') && { details: ['Checks need perl: apt-get install perl-base'] }),
  })
}

/**
 * Returns the reason why a script failed, or an {@link Unknown} if the result is unknown; undefined if it passed.
 *
 * @param next the next step for the operator after a failure; not used for an unknown result
 */
export function failureOf(outcome: ScriptOutcome, next?: string): Problem | undefined {
  const { ended, code, said, limit, empty } = outcome
  if (ended === 'exit' && code === 0) return undefined
  const lines = said
    .slice(-1500)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-8)
  if (ended === 'limit') {
    const slow = `an empty script took ${elapsed(empty)} on the host`
    return new Unknown(`no answer within ${elapsed(limit)} (${slow})`, { details: lines })
  }
  if (ended === 'signal') return new Unknown(`it was ended by signal ${code}`, { details: lines })
  if (ended === 'unstarted') return new Unknown('the host could not start a process', { details: lines })
  const [what, ...details] = lines
  if (code === UNKNOWN) return new Unknown(what ?? 'it could not be asked', { details })
  return new Problem(what ?? `it ended with status ${code}`, { details, ...(next && { next }) })
}

/**
 * Runs the scripts of checks in one perl process (perl-base is essential in Debian). Arguments: the controller's time, then three for each
 * script: its limit in seconds (empty: `PROVISION_CHECK_SECONDS`, else 10), the number of bytes of its output to keep, and its text.
 * Standard output: a line for each script (number, kind of end, status, start, end and limit in seconds, output as hex), and one for all of
 * them.
 *
 * The number of scripts that run in parallel is the number of the host's cores, at least two. A script that has run for a second is not
 * counted, because it waits for something other than the processor. A limit grows with `PROVISION_TIMEOUT_PERCENT` and with the time that
 * an empty script takes, which is measured before the first script and each time a limit is reached. At its limit a script gets TERM and a
 * second later KILL, with all processes of its group; processes that a script leaves behind are killed, too.
 */
const CHECK_RUNNER = String.raw`
use strict;
my ($asked, @args) = @ARGV;
delete $ENV{PERL_BADLANG};

# Time::HiRes is not part of perl-base.
sub now { open my $file, '<', '/proc/uptime' or die "/proc/uptime: $!\n"; (split ' ', <$file>)[0] }
sub empty {
  my $from = now();
  defined(my $pid = fork) or return 0;
  if (!$pid) { exec 'sh', '-c', ':'; exit 127 }
  waitpid $pid, 0;
  now() - $from;
}

my $begin = now();
my $cores = 0;
if (open my $file, '<', '/proc/cpuinfo') { /^processor/ and $cores++ while <$file> }
my $lanes = $cores > 2 ? $cores : 2;
my $percent = $ENV{PROVISION_TIMEOUT_PERCENT} || 100;
my $empty = empty();
sub stretch { my $by = $empty / 0.05; $percent / 100 * ($by < 1 ? 1 : $by > 6 ? 6 : $by) }
sub limit { $_[0]{seconds} * stretch() }

my (@waiting, @running, @done);
for (my $n = 0; @args; $n++) {
  my ($seconds, $keep, $script) = splice @args, 0, 3;
  $seconds ||= $ENV{PROVISION_CHECK_SECONDS} || 10;
  push @waiting, { n => $n, seconds => $seconds, keep => $keep, script => $script, said => '' };
}

sub start {
  my $job = shift;
  $job->{began} = now();
  pipe my $out, my $in and defined(my $pid = fork) or do { $job->{said} = "$!"; return over($job, 'unstarted', 0) };
  if (!$pid) {
    setpgrp;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>&', $in;
    open STDERR, '>&', $in;
    $ENV{limit} = int(limit($job)) || 1;
    exec 'sh', '-c', $job->{script};
    exit 127;
  }
  close $in;
  @$job{qw(pid out)} = ($pid, $out);
  push @running, $job;
}

sub over {
  my ($job, $how, $status) = @_;
  @$job{qw(ended how status limit)} = (now(), $how, $status, limit($job));
  kill 'KILL', -$job->{pid} if $job->{pid};
  push @done, $job;
}

# False at the end of the output.
sub hear {
  my $job = shift;
  my $got = sysread $job->{out}, my $bytes, 65536;
  return 0 unless $got;
  $job->{said} .= $bytes;
  $job->{said} = substr $job->{said}, -$job->{keep} if length $job->{said} > $job->{keep};
  1;
}
sub ready { my $set = ''; vec($set, fileno($_[0]{out}), 1) = 1; select($set, undef, undef, 0) > 0 }

$SIG{CHLD} = sub { };
$SIG{$_} = sub { kill 'KILL', map { -$_->{pid} } @running; exit 143 } for qw(TERM INT HUP);
while (@waiting || @running) {
  my $now = now();
  my $busy = grep { $now - $_->{began} < stretch() } @running;
  start(shift @waiting) while @waiting && $busy++ < $lanes;
  my $set = '';
  vec($set, fileno($_->{out}), 1) = 1 for grep { $_->{out} } @running;
  # A SIGCHLD ends the wait; one that comes right before it is noticed a little later.
  select $set, undef, undef, (grep { !$_->{out} } @running) ? 0.01 : 0.2;
  my @left;
  for my $job (@running) {
    delete $job->{out} if $job->{out} && ready($job) && !hear($job);
    my $ended = waitpid($job->{pid}, 1) == $job->{pid};
    my $status = $?;
    if ($ended) { 1 while $job->{out} && ready($job) && hear($job) }
    if ($job->{stopped}) {
      my $since = now() - $job->{stopped};
      kill 'KILL', -$job->{pid} if $since > 1;
      if ($ended || $since > 2) { over($job, 'limit', 0); next }
    } elsif ($ended) {
      over($job, $status & 127 ? ('signal', $status & 127) : ('exit', $status >> 8));
      next;
    } elsif (now() - $job->{began} >= limit($job)) {
      my $again = empty();
      $empty = $again if $again > $empty;
      if (now() - $job->{began} >= limit($job)) { $job->{stopped} = now(); kill 'TERM', -$job->{pid} }
    }
    push @left, $job;
  }
  @running = @left;
}
print join(' ', @$_{qw(n how status)}, (map { $_ - $begin } @$_{qw(began ended)}), $_->{limit}, unpack('H*', $_->{said})), "\n" for @done;
print join(' ', 'all', $asked, now() - $begin, $empty), "\n";
`
