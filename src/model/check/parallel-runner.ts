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
export const CHECK_RUNNER = String.raw`
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
