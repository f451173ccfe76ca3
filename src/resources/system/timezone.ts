import { Problem } from '../../model/problem.ts'
import { compare, type Diff } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { read } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { stagingPath } from '../files/staging.ts'

const ZONES = '/usr/share/zoneinfo'

/**
 * The time zone of the host. Programs that run use the old one until they are restarted: `notify: restarted('cron')`.
 *
 * @param zone a name of the time zone database; see `timedatectl list-timezones`
 * @throws TypeError for an invalid name
 * @throws Problem (on the host) for an unknown zone, and without the package tzdata
 * @example timezone('Europe/Berlin', { notify: restarted('cron') })
 */
export function timezone(zone: string, options: StepOptions = {}): Step {
  if (!/^[A-Za-z][\w+-]*(?:\/[\w+-]+){0,2}$/.test(zone))
    throw new TypeError(`timezone: "${zone}" is not the name of a time zone such as Europe/Berlin`)
  return timezoneStep({ zone }, options)
}

interface Zone {
  /** Undefined if /etc/localtime is not a link to a zone. */
  readonly zone: string | undefined
  /** The text of /etc/timezone, which Debian 13 no longer creates; undefined if it is missing. */
  readonly file: string | undefined
  /** True if the host has the wanted zone. */
  readonly isKnown: boolean
}

const timezoneStep = resource<{ readonly zone: string }, Zone>('timezone', {
  id: ({ zone }) => zone,
  sets: () => ['/etc/localtime', '/etc/timezone'].map((name) => ({ type: 'path', name })),
  affects: 'itself',
  read: ({ zone }) =>
    read(
      sh`printf 'link:%s\n' "$(readlink /etc/localtime)"
if [ -f /etc/timezone ]; then text=; IFS= read -r text </etc/timezone; printf 'file:%s\n' "$text"; fi
[ ! -f ${`${ZONES}/${zone}`} ] || echo known`,
      ({ stdout }): Zone => {
        const lines = stdout.split('\n')
        const after = (mark: string) => lines.find((line) => line.startsWith(mark))?.slice(mark.length)
        const link = after('link:') ?? ''
        const [, found] = /\/zoneinfo\/(.+)$/.exec(link) ?? []
        return { zone: found, file: after('file:'), isKnown: lines.includes('known') }
      },
      {
        shared: true,
        dependsOn: ['/etc/localtime', '/etc/timezone', ZONES],
        fakeValue: ({ paths }) => ({
          zone: paths.get('/etc/localtime')?.target?.replace(`${ZONES}/`, ''),
          file: undefined,
          isKnown: true,
        }),
      },
    ),
  diff: ({ zone }, have): Diff | undefined => {
    const file = have.file === undefined ? undefined : zone
    const found = compare({ zone, '/etc/timezone': file }, { zone: have.zone, '/etc/timezone': have.file })
    if (!found || have.isKnown) return found
    const problem = new Problem(`The host does not know the time zone ${zone}`, {
      next: "Correct the name, or add pkg('tzdata') before it; old names are in pkg('tzdata-legacy').",
    })
    return { ...found, problem }
  },
  apply: ({ zone }, { file }) => {
    const at = stagingPath('/etc/localtime')
    const link = sh`ln -s ${`${ZONES}/${zone}`} ${at} && mv -fT ${at} /etc/localtime`
    return [file === undefined ? link : sh`${link} && printf '%s\n' ${zone} >/etc/timezone`]
  },
  simulate: ({ zone }, host) =>
    putPath(host, '/etc/localtime', {
      ...{ type: 'link', owner: 'root', group: 'root', mode: '0777' },
      target: `${ZONES}/${zone}`,
    }),
})
