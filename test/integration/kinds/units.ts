import type { Dice } from '../../support/dice.ts'
import { api, type Generator, type Site } from './api.ts'

/** Units with their files, drop-ins and services; units that others write; a static one. */
export const units: Generator = (dice, site) => {
  const all = [oneUnit('a', dice, site), oneUnit('b', dice, site), ...(dice.maybe() ? [others(dice, site)] : [])]
  return {
    found: all.map(({ found }) => found).join('\n'),
    steps: dice.merged(all.map(({ steps }) => steps)),
  }
}

function oneUnit(letter: string, dice: Dice, site: Site) {
  const name = `kinds-${letter}.service` as const
  const path = `/etc/systemd/system/${name}`
  const text = (seconds: number) =>
    `[Service]\nExecStart=/bin/sleep ${seconds}\n[Install]\nWantedBy=multi-user.target\n`
  const put = (seconds: number) => `printf '${text(seconds).replaceAll('\n', '\\n')}' > ${path}`
  const away = `systemctl disable --now ${name}; rm -rf ${path} ${path}.d; systemctl daemon-reload`
  const found = dice.one(
    ':',
    away,
    `${put(1000)}; systemctl daemon-reload; systemctl enable --now ${name}`,
    `${put(2000)}; systemctl daemon-reload; systemctl disable ${name}; systemctl start ${name}`,
    `${put(1000)}; systemctl daemon-reload; systemctl enable --runtime ${name}; systemctl stop ${name}`,
    // Edited without a daemon-reload.
    `${put(3000)}`,
    `systemctl cat ${name} && { mkdir -p ${path}.d; printf '[Unit]\\nDescription=by hand\\n' > ${path}.d/50-kinds.conf; }`,
    `rm -rf ${path} ${path}.d`,
  )
  const wanted = dice.one<Parameters<typeof api.service>[1]>({}, {}, { state: 'stopped' }, { enabled: false })
  // A handler that restarts a unit would start one that is declared stopped.
  const restart = wanted?.state === 'stopped' ? {} : { notify: api.restarted(name) }
  return {
    found,
    steps: [
      api.unit(name, text(dice.one(1000, 2000)), dice.one(site.options(), restart)),
      ...(dice.maybe() ? [api.dropIn(name, '50-kinds', '[Service]\nNice=5\n', dice.one({}, restart))] : []),
      api.service(`kinds-${letter}`, { ...site.options(), ...wanted }),
    ],
  }
}

/** A unit of Debian, and one without an [Install] section. */
function others(dice: Dice, site: Site) {
  const timer = 'systemd-tmpfiles-clean.timer'
  const static_ = '[Service]\nExecStart=/bin/sleep 5000\n'
  return {
    found: dice.one(':', `systemctl stop ${timer}`, `systemctl disable ${timer}`, 'systemctl stop kinds-static'),
    steps: [
      api.service(timer, dice.one({ state: 'running' }, { state: 'stopped' })),
      api.unit('kinds-static.service', static_, site.options()),
      api.service('kinds-static', site.options()),
    ],
  }
}
