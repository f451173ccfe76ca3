import { type Check, check, type Host, type Shell, sh } from 'provision-ts'

export interface Target {
  readonly name: string
  readonly address: string
  readonly port: number
}

/** The options of {@link portsOpen} and {@link portsClosed}. */
export interface ConnectionOptions {
  /**
   * Ports that the host can reach in a healthy system. They are tried at the same time: if one of them answers, a target that does not
   * answer is closed; otherwise the result is unknown. @default none
   */
  readonly controls?: readonly Target[]
}

/** The host can connect to all targets. Unknown if neither they nor the controls answer. */
export function portsOpen(host: Host, targets: readonly Target[], { controls = [] }: ConnectionOptions = {}): Check {
  return check(host, `can connect to ${names(targets)}`, connections('open', targets, controls))
}

/** The host cannot connect to any target: each refuses, or does not answer while a control does. */
export function portsClosed(host: Host, targets: readonly Target[], { controls = [] }: ConnectionOptions = {}): Check {
  return check(host, `cannot connect to ${names(targets)}`, connections('closed', targets, controls), {
    next: 'Check the firewall on the target: nft list ruleset',
  })
}

function names(targets: readonly Target[]): string {
  return targets.map(({ name, port }) => `${name}:${port}`).join(', ')
}

function connections(wanted: 'open' | 'closed', targets: readonly Target[], controls: readonly Target[]): Shell {
  const args = (all: readonly Target[], kind: string) =>
    all.flatMap(({ name, address, port }) => [kind, `${name}:${port}`, address, String(port)])
  return sh`perl -e ${CONNECT} ${wanted} ${args(targets, 'target')} ${args(controls, 'control')}`
}

/**
 * One process opens all connections at the same time. The limit is a tenth of the check's limit and starts with the first attempt, so the
 * start of the process does not count. Answers of the network, such as "No route to host", do not show that a firewall closes the port.
 */
const CONNECT = String.raw`
use strict;
use Socket;
use Fcntl;
my ($wanted, @args) = @ARGV;
my $seconds = ($ENV{limit} || 10) / 10;
$seconds = 1 if $seconds < 1;
my (@all, %open);
while (my ($kind, $name, $address, $port) = splice @args, 0, 4) {
  my ($error, $at) = Socket::getaddrinfo($address, $port, { socktype => SOCK_STREAM });
  push @all, { kind => $kind, name => $name, at => $at, said => $error ? "$error" : undef, broken => !!$error };
}
for my $target (grep { $_->{at} } @all) {
  if (!socket $target->{socket}, $target->{at}{family}, SOCK_STREAM, 0) { @$target{qw(said broken)} = ("$!", 1); next }
  fcntl $target->{socket}, F_SETFL, O_NONBLOCK;
  if (connect $target->{socket}, $target->{at}{addr}) { $target->{said} = 'open' }
  elsif ($!{EINPROGRESS}) { $open{fileno $target->{socket}} = $target }
  else { $target->{said} = $!{ECONNREFUSED} ? 'refused' : "$!" }
}
my $left = $seconds;
while (%open) {
  my $set = '';
  vec($set, $_, 1) = 1 for keys %open;
  (my $count, $left) = select undef, $set, undef, $left;
  last if $count < 1;
  for my $number (grep { vec $set, $_, 1 } keys %open) {
    my $target = delete $open{$number};
    $! = unpack 'i', getsockopt $target->{socket}, SOL_SOCKET, SO_ERROR;
    $target->{said} = $! == 0 ? 'open' : $!{ECONNREFUSED} ? 'refused' : "$!";
  }
}
my %answer = (open => 1, refused => 1);
my @controls = grep { $_->{kind} eq 'control' } @all;
my $answered = grep { $answer{$_->{said}} } $wanted eq 'open' ? @all : @controls;
my %words = (open => 'accepts connections', refused => 'refuses connections', '' => "no answer within $seconds s");
my (@wrong, @unknown);
for my $target (grep { $_->{kind} eq 'target' } @all) {
  my $said = $target->{said};
  my $words = "$target->{name}: " . ($words{$said} || $said);
  if ($target->{broken}) { push @unknown, $words }
  elsif ($answer{$said}) { push @wrong, $words if ($said eq 'open') == ($wanted eq 'closed') }
  elsif ($wanted eq 'open' && ($said || $answered)) { push @wrong, $words }
  elsif (!$answered) { push @unknown, $words }
}
if (@wrong) { print "$_\n" for @wrong; exit 1 }
if (@unknown) {
  print join('; ', @unknown), @controls ? "; none from " . join(', ', map { $_->{name} } @controls) : '; there is no other port to compare with', "\n";
  exit 75;
}
`
