import { type Shell, sh } from '../../shell/sh.ts'

/**
 * For files that decide how a host is reached: when it boots before they have proved good, nobody could come to put the old ones
 * back. A unit does so before anything reads them, and the next run brings the transaction to its end. The unit is there only as
 * long as the transaction.
 */
interface RollbackUnit {
  /** Of the transaction. */
  readonly id: string
  /** The script of its way back. */
  readonly script: string
}

const UNITS = '/etc/systemd/system'
const WANTS = `${UNITS}/sysinit.target.wants`

/** Systemd finds the unit at its next start; until then it need not know of it. */
export function installRollbackUnit(one: RollbackUnit): Shell {
  const name = nameOf(one)
  return sh`[ ! -d /run/systemd/system ] || { mkdir -p ${WANTS} && printf %s ${unitOf(one)} > ${`${UNITS}/${name}`} && ln -sfn ${`../${name}`} ${`${WANTS}/${name}`} && sync ${`${UNITS}/${name}`} ${UNITS} ${WANTS}; } || exit 1`
}

export function removeRollbackUnit(one: Pick<RollbackUnit, 'id'>): Shell {
  return sh`rm -f -- ${`${WANTS}/${nameOf(one)}`} ${`${UNITS}/${nameOf(one)}`}`
}

function nameOf({ id }: Pick<RollbackUnit, 'id'>): string {
  return `provision-way-back-${id}.service`
}

function unitOf({ script }: RollbackUnit): string {
  return `[Unit]
Description=Puts back what provision could not prove before the host booted
DefaultDependencies=no
After=local-fs.target
Wants=network-pre.target
Before=network-pre.target nftables.service provision-firewall.service

[Service]
Type=oneshot
ExecStart=/bin/sh ${script} boot
`
}
