import { isRecord } from '../../model/inventory/fields.ts'
import { printable } from '../../shell/printable.ts'
import type { Paint } from '../problem.ts'

/** An entry of a host's journal. */
export interface LogEntry {
  readonly host: string
  /** Microseconds since 1970, by the host's clock. */
  readonly time: number
  /** The program and its process id: `nginx[812]`. */
  readonly who: string
  readonly message: string
  /** As in syslog: 0 is the most severe, 3 an error, 6 informational. */
  readonly priority: number
}

/** Parses a line of `journalctl -o json`. Undefined for any other line. */
export function logEntry(host: string, line: string): LogEntry | undefined {
  const fields = parsed(line)
  if (!fields) return undefined
  const { SYSLOG_IDENTIFIER: name, _PID: pid, _COMM: command, PRIORITY: priority } = fields
  return {
    host,
    time: Number(fields['__REALTIME_TIMESTAMP']),
    who: `${textOf(name ?? command) || 'unknown'}${pid === undefined ? '' : `[${textOf(pid)}]`}`,
    message: textOf(fields['MESSAGE']),
    priority: priority === undefined ? 6 : Number(priority),
  }
}

/** `11-22 21:45:03.123 web1 nginx[812]: …` in local time; further lines of a message are indented. */
export function logLine({ host, time, who, message, priority }: LogEntry, width: number, paint: Paint): string {
  const at = new Date(time / 1000)
  const two = (n: number) => String(n).padStart(2, '0')
  const day = `${two(at.getMonth() + 1)}-${two(at.getDate())}`
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
  const text = message.split('\n').map(printable).join('\n    ')
  const shown = priority <= 3 ? paint('red', text) : priority === 4 ? paint('yellow', text) : text
  return `${paint('dim', `${day} ${clock}`)} ${paint('bold', host.padEnd(width))} ${printable(who)}: ${shown}`
}

export function byTime(a: LogEntry, b: LogEntry): number {
  return a.time - b.time
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const fields: unknown = JSON.parse(line)
    return isRecord(fields) && fields['__REALTIME_TIMESTAMP'] !== undefined ? fields : undefined
  } catch {
    return undefined
  }
}

/** journalctl gives binary values as arrays of bytes, repeated fields as arrays, and values that are too long as null. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return ''
  if (!Array.isArray(value)) return String(value)
  return value.every((one) => typeof one === 'number') ? Buffer.from(value).toString() : value.map(textOf).join('\n')
}
