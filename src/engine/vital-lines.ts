/** A file system. */
export interface Room {
  readonly mount: string
  /** In 1024-byte blocks, or in inodes. */
  readonly total: number
  readonly free: number
}

/** The file systems in the output of `df -P`, each once. */
export function roomsIn(said: string): readonly Room[] {
  const rooms = new Map<string, Room>()
  for (const line of said.split('\n').slice(1)) {
    const [, total, free, mount] = /^.+?\s+(\d+|-)\s+(?:\d+|-)\s+(\d+|-)\s+\S+\s+(\/.*)$/.exec(line) ?? []
    if (mount !== undefined) rooms.set(mount, { mount, total: Number(total) || 0, free: Number(free) || 0 })
  }
  return [...rooms.values()]
}

/** The part of a file system that is free, from 0 to 1. */
export function share({ free, total }: Room): number {
  return free / total
}

export function fullest(rooms: readonly Room[]): Room | undefined {
  return [...rooms].sort((a, b) => share(a) - share(b))[0]
}

/** The rest of each line that begins with this word. */
export function wordsAfter(word: string, said: string): readonly string[] {
  return said
    .split('\n')
    .flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1).trim()] : []))
}
