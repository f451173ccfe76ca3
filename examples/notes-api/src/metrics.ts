export type Labels = Readonly<Record<string, string | number>>

const limits = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Counters and one histogram, in the text format of Prometheus. */
export class Metrics {
  readonly #build: Labels
  readonly #counters = new Map<string, number>()
  readonly #durations = limits.map(() => 0)
  #seconds = 0
  #requests = 0
  #primary = ''

  constructor(build: Labels) {
    this.#build = build
  }

  count(name: CounterName, labels: Labels = {}): void {
    const key = series(name, labels)
    this.#counters.set(key, (this.#counters.get(key) ?? 0) + 1)
  }

  request(labels: Labels, seconds: number): void {
    this.count('notes_http_requests_total', labels)
    this.#requests++
    this.#seconds += seconds
    const slot = limits.findIndex((limit) => seconds <= limit)
    if (slot >= 0) this.#durations[slot] = (this.#durations[slot] ?? 0) + 1
  }

  /** @param host the current primary; '' if there is none */
  primary(host: string): void {
    this.#primary = host
  }

  text(): string {
    const started = Date.now() / 1000 - process.uptime()
    return [
      ...metric('notes_build_info', 'gauge', 'Which release runs.', [[series('notes_build_info', this.#build), 1]]),
      ...metric('process_start_time_seconds', 'gauge', 'Unix time of the start.', [
        ['process_start_time_seconds', started.toFixed(3)],
      ]),
      ...metric('process_resident_memory_bytes', 'gauge', 'Memory in use.', [
        ['process_resident_memory_bytes', process.memoryUsage.rss()],
      ]),
      ...metric('notes_database_primary', 'gauge', '1 for the database host that is written to.', [
        ...(this.#primary === '' ? [] : [[series('notes_database_primary', { host: this.#primary }), 1] as const]),
      ]),
      ...metric('notes_http_request_seconds', 'histogram', 'Time to answer.', this.#histogram()),
      ...Object.entries(counters).flatMap(([name, help]) => {
        const found = [...this.#counters].filter(([key]) => key === name || key.startsWith(`${name}{`))
        return metric(name, 'counter', help, found)
      }),
      '',
    ].join('\n')
  }

  #histogram(): readonly Sample[] {
    let total = 0
    const buckets = limits.map((limit, i): Sample => {
      total += this.#durations[i] ?? 0
      return [series('notes_http_request_seconds_bucket', { le: limit }), total]
    })
    return [
      ...buckets,
      [series('notes_http_request_seconds_bucket', { le: '+Inf' }), this.#requests],
      ['notes_http_request_seconds_sum', this.#seconds.toFixed(6)],
      ['notes_http_request_seconds_count', this.#requests],
    ]
  }
}

type Sample = readonly [series: string, value: number | string]
type CounterName = keyof typeof counters

const counters = {
  notes_http_requests_total: 'Requests answered.',
  notes_database_searches_total: 'Searches for the primary, by outcome.',
  notes_database_retries_total: 'Transactions tried again after a failure.',
  notes_database_unknown_total: 'Commits whose outcome was lost.',
}

function metric(name: string, type: string, help: string, samples: readonly Sample[]): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map(([key, value]) => `${key} ${value}`)]
}

function series(name: string, labels: Labels): string {
  const inside = Object.entries(labels).map(([key, value]) => `${key}="${escaped(String(value))}"`)
  return inside.length === 0 ? name : `${name}{${inside.join(',')}}`
}

function escaped(value: string): string {
  return value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')
}
