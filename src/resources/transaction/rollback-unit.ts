import { type Shell, sh } from '../../shell/sh.ts'

/**
 * Restores files that may cut off the host, if it boots before they are confirmed: then no connection could roll them back. The unit runs
 * before other units read the files, and exists only during the transaction. The next run ends the transaction.
 */
interface RollbackUnit {
  /** Of the transaction. */
  readonly id: string
  /** The path of the rollback script. */
  readonly script: string
}

const UNITS = '/etc/systemd/system'
const WANTS = `${UNITS}/sysinit.target.wants`

/** No reload of systemd: the unit is only needed at the next boot. */
export function installRollbackUnit(one: RollbackUnit): Shell {
  const name = unitName(one)
  return sh`[ ! -d /run/systemd/system ] || { mkdir -p ${WANTS} && printf %s ${unitText(one)} > ${`${UNITS}/${name}`} && ln -sfn ${`../${name}`} ${`${WANTS}/${name}`} && sync ${`${UNITS}/${name}`} ${UNITS} ${WANTS}; } || exit 1`
}

export function removeRollbackUnit(one: Pick<RollbackUnit, 'id'>): Shell {
  const name = unitName(one)
  return sh`rm -f -- ${`${WANTS}/${name}`} ${`${UNITS}/${name}`}`
}

function unitName({ id }: Pick<RollbackUnit, 'id'>): string {
  return `provision-rollback-${id}.service`
}

function unitText({ script }: RollbackUnit): string {
  return `[Unit]
Description=Restores files that provision has not confirmed before the boot
DefaultDependencies=no
After=local-fs.target
Wants=network-pre.target
Before=network-pre.target nftables.service provision-firewall.service

[Service]
Type=oneshot
ExecStart=/bin/sh ${script} boot
`
}
