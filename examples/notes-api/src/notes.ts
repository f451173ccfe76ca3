import type { Database } from './database/database.ts'
import type { Row } from './database/pool.ts'

export interface Note {
  readonly id: number
  readonly text: string
  /** The app host that stored the note. */
  readonly host: string
  /** ISO 8601, UTC. */
  readonly createdAt: string
}

export interface NewNote {
  readonly text: string
  readonly host: string
  /** The idempotency key: two notes with the same key are one note, so a POST can be retried. */
  readonly key: string
}

export interface Added {
  readonly note: Note
  /** False if the key exists already; the note is then the stored one. */
  readonly fresh: boolean
}

export class Notes {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Returns the newest notes first, at most 50. */
  async newest(): Promise<readonly Note[]> {
    const rows = await this.#database.read((query) =>
      query(`SELECT ${columns} FROM notes.note ORDER BY id DESC LIMIT 50`),
    )
    return rows.map(toNote)
  }

  async get(id: number): Promise<Note | undefined> {
    const [row] = await this.#database.read((query) => query(`SELECT ${columns} FROM notes.note WHERE id = $1`, [id]))
    return row === undefined ? undefined : toNote(row)
  }

  async add({ text, host, key }: NewNote): Promise<Added> {
    const [row] = await this.#database.write((query) => query(insert, [text, host, key]))
    if (row === undefined) throw new Error('INSERT … RETURNING gave no row')
    return { note: toNote(row), fresh: row['fresh'] === true }
  }

  /** Removes the note; a missing note is not an error. */
  async remove(id: number): Promise<void> {
    await this.#database.write((query) => query('DELETE FROM notes.note WHERE id = $1', [id]))
  }
}

const columns = `id, text, host, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created`

// The update changes nothing, but makes the statement return the row in every case, even if a concurrent one with
// this key commits while this one waits for it. A row without xmax is a new one.
const insert = `
  INSERT INTO notes.note (text, host, idempotency_key) VALUES ($1, $2, $3)
  ON CONFLICT (idempotency_key) DO UPDATE SET idempotency_key = excluded.idempotency_key
  RETURNING ${columns}, xmax = 0 AS fresh`

function toNote(row: Row): Note {
  return {
    id: Number(row['id']),
    text: String(row['text']),
    host: String(row['host']),
    createdAt: String(row['created']),
  }
}
