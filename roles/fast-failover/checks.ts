import { type Check, check, type Host, sh } from 'provision-ts'
import { runs } from '../base/checks.ts'
import { STATUS, UNIT } from './params.ts'

/** Checks of the host that shortens the automatic failover. */
export function fastFailoverChecks(host: Host): readonly Check[] {
  return [
    runs(host, UNIT),
    check(host, 'would notice the loss of the primary', SEES, {
      next: `See journalctl -u ${UNIT} on ${host.name}. Until then a failover takes 20 to 25 s.`,
    }),
  ]
}

const SEES = sh`status=${STATUS}
said=$(cat "$status" 2>/dev/null) || { echo 'it has written no state yet'; exit 75; }
written=$(stat -c %Y "$status") && now=$(date +%s) || exit 75
[ $((now - written)) -le 10 ] || { echo "its state is $((now - written)) s old"; exit 75; }
case $said in
*'"problem": null'*) ;;
*) printf '%s\n' "$said" | sed 's/.*"problem": "//; s/"}$//'; exit 1 ;;
esac`
