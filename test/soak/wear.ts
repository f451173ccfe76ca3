import type { Site } from '../proof/site.ts'

/** The resources that all hosts together use, which may grow over time. */
export interface Wear {
  readonly processes: number
  readonly openFiles: number
  /** The memory of all processes, with each shared page counted once. */
  readonly memoryMiB: number
  readonly diskMiB: number
}

/** The growth that is allowed. The database writes its log ahead until it is recycled, and logs grow to their limit. */
const ALLOWED: Wear = { processes: 40, openFiles: 400, memoryMiB: 400, diskMiB: 1_500 }

export interface Worn {
  readonly wear: Wear
  /** Failed units, and files and processes of finished runs. */
  readonly left: readonly string[]
}

export async function worn(site: Site): Promise<Worn> {
  const all = await Promise.all(
    site.lab.hosts.map(async ({ name }) => ({ name, lines: (await site.on(name, LOOK)).split('\n') })),
  )
  const sum = (key: string) =>
    all.reduce(
      (total, { lines }) => total + Number(lines.find((line) => line.startsWith(`${key} `))?.slice(key.length)),
      0,
    )
  return {
    wear: {
      processes: sum('processes'),
      openFiles: sum('files'),
      memoryMiB: Math.round(sum('memory') / 1024),
      diskMiB: Math.round(sum('disk') / 1024),
    },
    left: all.flatMap(({ name, lines }) =>
      lines.filter((line) => line.startsWith('left ')).map((line) => `${name}: ${line.slice(5)}`),
    ),
  }
}

/** Returns the values that have grown by more than is allowed, as text. */
export function outgrown(before: Wear, now: Wear): readonly string[] {
  const keys = Object.keys(ALLOWED) as (keyof Wear)[]
  return keys
    .filter((key) => now[key] - before[key] > ALLOWED[key])
    .map((key) => `${key} grew from ${before[key]} to ${now[key]}, by more than ${ALLOWED[key]}`)
}

const LOOK = `
echo "processes $(ls -d /proc/[0-9]* | wc -l)"
echo "files $(ls -d /proc/[0-9]*/fd/* 2>/dev/null | wc -l)"
echo "memory $(cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '$1 == "Pss:" { sum += $2 } END { print sum + 0 }')"
echo "disk $(du -xsk / 2>/dev/null | cut -f 1)"
systemctl --failed --plain --no-legend | awk '{ print "left failed unit " $1 }'
find /etc /srv /usr/local /var/lib /run /tmp -xdev -name '*.provision-*' -mmin +1 2>/dev/null | sed 's/^/left file /'
for process in /proc/[0-9]*; do
  if tr '\\0' ' ' <$process/environ 2>/dev/null | grep -q 'SSH_CONNECTION='; then
    echo "left process $(tr '\\0' ' ' <$process/cmdline | cut -c 1-80)"
  fi
done`
