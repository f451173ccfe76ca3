import { execFileSync } from 'node:child_process'
import { quote } from '/work/main/src/text/quote.ts'
import { localLink } from '/work/main/src/transport/local.ts'
import { conformance } from '/work/main/test/transport/conformance.ts'
const root = '/tmp/sw/bbroot'
execFileSync('sh', ['-c', `rm -rf ${root}; mkdir -p ${root}/bin ${root}/usr/bin ${root}/proc ${root}/dev ${root}/tmp ${root}/run ${root}/etc ${root}/root; cp /usr/bin/busybox ${root}/bin/; for l in $(ldd /usr/bin/busybox | grep -o '/lib[^ ]*'); do mkdir -p ${root}$(dirname $l); cp $l ${root}$l; done; echo root:x:0:0::/root:/bin/sh >${root}/etc/passwd; chroot ${root} /bin/busybox --install -s /bin; rm -f ${root}/linuxrc`])
conformance('busybox alone', async () => {
  const link = localLink()
  return { ...link, start: (command) => link.start(`exec unshare -m sh -c ${quote(`mount --rbind /proc ${root}/proc; mount --rbind /dev ${root}/dev; exec chroot ${root} /bin/sh -c ${quote(command)}`)}`) }
})
