import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Lab } from '../../src/lab/index.ts'

/** Searches the arguments and the environment of all processes repeatedly for forbidden words. */
export interface Watch {
  /** Stops the watch. @returns the places where each word was seen, and the number of rounds */
  end(): Promise<{ readonly seen: readonly string[]; readonly rounds: number }>
}

/** Words are passed in reverse: the watching process must not find itself. */
const reversed = (word: string) => [...word].reverse().join('')

/** Watches this machine from a separate process, which also sees the processes of lab hosts. */
export function watchHere(words: readonly string[]): Watch {
  const program = join(import.meta.dirname, 'proc-watcher.ts')
  const watcher = spawn(process.execPath, ['--import', 'tsx', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const printed = text(watcher.stdout)
  watcher.stdin.write(`${JSON.stringify(words)}\n`)
  return {
    end: async () => {
      watcher.stdin.end()
      return JSON.parse(await printed)
    },
  }
}

/** Watches a host as its root user. */
export function watchOn(lab: Lab, host: string, words: readonly string[]): Watch {
  const flag = `/run/watch-${Math.random().toString(36).slice(2)}`
  const watching = lab.exec(host, `touch ${flag}; perl -e '${PERL}' ${flag} ${words.map(reversed).join(' ')}`)
  return {
    end: async () => {
      await lab.exec(host, `rm -f ${flag}`)
      const lines = (await watching).stdout.split('\n').filter((line) => line !== '')
      return { seen: lines.filter((line) => line.startsWith('/')), rounds: Number(lines.at(-1)) }
    },
  }
}

const PERL = `
my ($flag, @words) = @ARGV; @words = map { scalar reverse } @words; my ($rounds, %seen) = (0);
while (-e $flag) {
  for my $file (glob "/proc/[0-9]*/cmdline /proc/[0-9]*/environ") {
    open(my $in, "<", $file) or next; local $/; my $text = <$in>; close $in;
    for my $word (@words) { $seen{"$file: $text"} = 1 if defined $text && index($text, $word) >= 0 }
  }
  $rounds++; select(undef, undef, undef, 0.003);
}
s/[^ -~]/ /g, print "$_\\n" for keys %seen; print "$rounds\\n";`

/** Searches all processes once. */
export function look(words: readonly string[]): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => ['cmdline', 'environ'].map((what) => `/proc/${pid}/${what}`))
    .flatMap((file) => {
      const found = textOf(file)
      return words.some((word) => found.includes(word)) ? [`${file}: ${found.replaceAll('\0', ' ')}`] : []
    })
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // The process has ended, or belongs to the kernel.
  }
}
