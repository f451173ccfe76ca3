import { type Check, check, type Host, type Shell, sh } from 'provision-ts'

export interface Target {
  readonly name: string
  readonly address: string
  readonly port: number
}

/** The options of {@link portsOpen} and {@link portsClosed}. */
export interface ConnectionOptions {
  /**
   * Ports that the host does reach when all is well, on the way to the doors or on another. They are tried in the same moment: when one
   * of them answers, a door that does not answer is closed; otherwise that is not known. @default none
   */
  readonly controls?: readonly Target[]
}

/** Ports are open for a host. Unknown when neither they nor the controls answer. */
export function portsOpen(
  host: Host,
  doors: readonly Target[],
  { controls = [] }: ConnectionOptions = {},
): Check {
  return check(host, `reaches ${named(doors)}`, connections('reaches', doors, controls))
}

/** Ports are closed for a host: each refuses, or does not answer while a control does. */
export function portsClosed(
  host: Host,
  doors: readonly Target[],
  { controls = [] }: ConnectionOptions = {},
): Check {
  return check(host, `is kept from ${named(doors)}`, connections('is kept from', doors, controls), {
    next: 'Look at the firewall there: nft list ruleset',
  })
}

function named(doors: readonly Target[]): string {
  return doors.map(({ name, port }) => `${name}:${port}`).join(', ')
}

function connections(
  wanted: 'reaches' | 'is kept from',
  doors: readonly Target[],
  controls: readonly Target[],
): Shell {
  const words = (all: readonly Target[], kind: string) =>
    all.flatMap(({ name, address, port }) => [kind, `${name}:${port}`, address, String(port)])
  return sh`perl -e ${CONNECT} ${wanted} ${words(doors, 'door')} ${words(controls, 'control')}`
}

/**
 * One process makes all connections at once, with a limit of a tenth of the check's own that begins with the first attempt: the start of
 * a process does not count. A packet that is answered by the network, as with "No route to host", says nothing of the door's firewall.
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
for my $door (grep { $_->{at} } @all) {
  if (!socket $door->{socket}, $door->{at}{family}, SOCK_STREAM, 0) { @$door{qw(said broken)} = ("$!", 1); next }
  fcntl $door->{socket}, F_SETFL, O_NONBLOCK;
  if (connect $door->{socket}, $door->{at}{addr}) { $door->{said} = 'open' }
  elsif ($!{EINPROGRESS}) { $open{fileno $door->{socket}} = $door }
  else { $door->{said} = $!{ECONNREFUSED} ? 'refused' : "$!" }
}
my $left = $seconds;
while (%open) {
  my $set = '';
  vec($set, $_, 1) = 1 for keys %open;
  (my $count, $left) = select undef, $set, undef, $left;
  last if $count < 1;
  for my $number (grep { vec $set, $_, 1 } keys %open) {
    my $door = delete $open{$number};
    $! = unpack 'i', getsockopt $door->{socket}, SOL_SOCKET, SO_ERROR;
    $door->{said} = $! == 0 ? 'open' : $!{ECONNREFUSED} ? 'refused' : "$!";
  }
}
my %answer = (open => 1, refused => 1);
my @controls = grep { $_->{kind} eq 'control' } @all;
my $answered = grep { $answer{$_->{said}} } $wanted eq 'reaches' ? @all : @controls;
my %words = (open => 'takes connections', refused => 'refuses connections', '' => "no answer within $seconds s");
my (@wrong, @unknown);
for my $door (grep { $_->{kind} eq 'door' } @all) {
  my $said = $door->{said};
  my $words = "$door->{name}: " . ($words{$said} || $said);
  if ($door->{broken}) { push @unknown, $words }
  elsif ($answer{$said}) { push @wrong, $words if ($said eq 'open') == ($wanted eq 'is kept from') }
  elsif ($wanted eq 'reaches' && ($said || $answered)) { push @wrong, $words }
  elsif (!$answered) { push @unknown, $words }
}
if (@wrong) { print "$_\n" for @wrong; exit 1 }
if (@unknown) {
  print join('; ', @unknown), @controls ? "; nor from " . join(', ', map { $_->{name} } @controls) : '; nothing else was tried', "\n";
  exit 75;
}
`
