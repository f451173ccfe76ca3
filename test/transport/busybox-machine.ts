import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quote } from '../../src/shell/sh.ts'
import { localConnection } from '../../src/transport/local.ts'
import type { Connection } from '../../src/transport/transport.ts'

/** A root directory with busybox only: its tools differ from GNU's more than its shell does. Needs root. */
export class BusyboxMachine {
  readonly #root = mkdtempSync(join(tmpdir(), 'provision-busybox-'))

  constructor() {
    execFileSync('sh', ['-c', INSTALL, 'sh', this.#root])
  }

  connection(): Connection {
    const connection = localConnection()
    const enter = `for d in proc dev; do mount --rbind /$d ${this.#root}/$d; done; exec chroot ${this.#root} /bin/sh -c "$1"`
    // The mounts are in a namespace that ends with the command.
    return {
      ...connection,
      start: (command) => connection.start(`exec unshare -m sh -c ${quote(enter)} sh ${quote(command)}`),
    }
  }

  dispose(): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}

const INSTALL = `set -e; cd "$1"; mkdir -p bin proc dev tmp run etc root
busybox=$(command -v busybox); cp "$busybox" bin/busybox
for library in $(ldd "$busybox" 2>/dev/null | grep -o '/lib[^ ]*'); do mkdir -p ".$(dirname $library)"; cp $library .$library; done
echo root:x:0:0::/root:/bin/sh >etc/passwd
chroot . /bin/busybox --install -s /bin`
