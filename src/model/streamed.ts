/** Bytes that are too many to hold in memory. */
export interface Streamed {
  /** @throws Problem when they are not to be had, or not what they were any more */
  open(): Promise<Opened>
}

export interface Opened {
  /** How many bytes there are. */
  readonly size: number
  /** Read as fast as the host takes them; exactly as many as said. */
  readonly pieces: AsyncIterable<Uint8Array>
}
