import type { Steps } from '../../model/playbook/steps.ts'
import { handler } from '../../model/resource/handler.ts'
import { read } from '../../model/resource/read.ts'
import { resource } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { file } from '../files/file.ts'
import { pkg } from '../packages/package.ts'
import { service } from '../systemd/service.ts'
import { unit } from '../systemd/unit.ts'
import { transaction } from '../transaction/transaction.ts'
import { lockoutCheck } from './lockout-check.ts'
import { noOtherFirewall } from './other-firewalls.ts'
import { type FirewallRule, ingressOf, ruleset, type SshAccess, TABLE } from './ruleset.ts'

/** From where ssh is let in, at which port, and what becomes of other firewalls: see {@link firewall}. */
export interface FirewallOptions extends SshAccess {
  /**
   * Another firewall that drops input by default, such as ufw, firewalld or a table of nftables: `refuse` refuses the run, `keep` leaves it
   * in force beside this one. It is looked for on hosts that do not have this firewall yet. @default 'refuse'
   */
  readonly others?: 'refuse' | 'keep'
}

const FILE = '/etc/nftables.d/provision.nft'
const UNIT = 'provision-firewall.service'
/** What the table looked like right after it was loaded. Gone with a boot, made again by it. */
const RECORD = '/run/provision-firewall'

/**
 * A firewall that lets in what the rules say and drops the rest: one table of our own, now and from before the network is up
 * after a boot. A host takes one: where it plays two parts, give the rules of both.
 *
 * Connections that are open stay open. A ruleset counts when the machine that runs this gets in over a new connection; after 15 s
 * without one the host itself puts the old ruleset back, and the step fails; after a boot meanwhile, too. Networks for ssh that would
 * shut this machine out are refused before any host is changed.
 *
 * @example firewall([{ port: 8080, from: lb.hosts }], { ssh: ['10.0.0.0/8'] })
 */
export function firewall(rules: readonly FirewallRule[], options: FirewallOptions = {}): Steps {
  const { ssh = 'anywhere', others = 'refuse' } = options
  const text = ruleset(rules, options)
  return [
    ssh !== 'anywhere' && lockoutCheck({ from: ssh }),
    others === 'refuse' && noOtherFirewall({ file: FILE }),
    pkg('nftables'),
    transaction('firewall', [file(FILE, text), unit(UNIT, unitText)], {
      validate: sh`nft -c -f ${FILE}`,
      activate: loadTable,
      confirmed: true,
    }),
    loadedTable({ rules }),
    service(UNIT),
  ]
}

/** One text for the unit and for our question: the file and the table that the kernel made of it. */
const PRINT = sh`nft -s list table inet ${TABLE} | sha256sum ${FILE} -`

/**
 * A unit of its own, since Debian's nftables.service loads /etc/nftables.conf, which belongs to the administrator, begins with
 * `flush ruleset`, and ends with it when it is stopped. Ours comes after it, and comes again when it is restarted or reloaded.
 */
const unitText = `[Unit]
Description=Firewall of provision (nftables, table inet ${TABLE})
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target shutdown.target
After=nftables.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f ${FILE}
ExecStartPost=/bin/sh -c '${PRINT.text} > ${RECORD}'
ExecReload=/usr/sbin/nft -f ${FILE}
ExecReload=/bin/sh -c '${PRINT.text} > ${RECORD}'

[Install]
WantedBy=sysinit.target
`

/** Loads the table; when the first one was taken back, there is to be none. */
const loadTable = handler(
  'load the firewall',
  sh`systemctl daemon-reload
if [ -e ${FILE} ]; then systemctl restart ${UNIT} || { journalctl -q --no-pager -o cat -n 5 -u ${UNIT}; exit 1; }
else nft delete table inet ${TABLE}; systemctl stop ${UNIT} 2>/dev/null || :; fi`,
)

/** Both of them, and after an empty line what was recorded. */
const AS_LOADED = sh`${PRINT} 2>/dev/null
echo
while IFS= read -r line; do printf '%s\n' "$line"; done <${RECORD}`

/** Whether the kernel has the table as we loaded it: somebody's `nft add rule`, or `nft flush ruleset`, is seen. */
const loadedTable = resource<{ readonly rules: readonly FirewallRule[] }, boolean>('firewall', {
  id: () => `table inet ${TABLE}`,
  ingress: ({ rules }) => rules.map(ingressOf),
  canWaitForPackages: true,
  read: () =>
    read(
      AS_LOADED,
      ({ code, stdout }) => {
        const [now, loaded] = stdout.split('\n\n')
        return code === 0 && now === loaded?.trimEnd()
      },
      { shared: true, fakeValue: (host) => host.answer(AS_LOADED.text, undefined).code === 0 },
    ),
  diff: (_params, have) =>
    have
      ? undefined
      : { action: 'change', fields: [{ name: 'table', from: 'not as it was loaded', to: 'as declared' }] },
  apply: () => loadTable.commands,
  simulate: (_params, { holds }) => holds(AS_LOADED.text),
})
