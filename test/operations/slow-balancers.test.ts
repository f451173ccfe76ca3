import { expect } from 'chai'
import { answers, eventually } from '../integration/support.ts'
import { balancerPair } from './balancer-pair.ts'

/** Loops that start processes, like a run or a verification, on a host that is slow already. */
const LOOPS = 4

const SLOW_FOR = 60_000

/** Delays each check by three seconds. */
const LATE = `file=/usr/local/libexec/keepalived-check
sed 's/^read -r -a self/sleep 3; &/' $file > /run/late && cat /run/late > $file`

/** A former check with several processes, where one failure is enough. */
const FORMER = `cat > /usr/local/libexec/former-check <<'END'
#!/bin/sh
ask() {
  setpriv --reuid=keepalived_check --regid=keepalived_check --clear-groups --no-new-privs curl -fsS -o /dev/null --max-time 1 http://127.0.0.1:8405/serving
}
ask || { [ $? -eq 28 ] || sleep 0.4; ask; }
END
chmod 755 /usr/local/libexec/former-check
sed -i 's#^  script ".*#  script "/usr/local/libexec/former-check"#; s/^  timeout 60$/  timeout 3/; s/^  fall 2$/  fall 1/; s/^  rise 5$/  rise 2/' /etc/keepalived/keepalived.conf
/usr/local/libexec/former-check && systemctl reload keepalived`

const HOSTS = ['lb1', 'lb2', 'web1']

/**
 * A slow host is not a dead host: the address moves if a balancer is lost, and stays if both are slow. The test counts
 * moves and measures no times.
 */
describe('slow balancers', function () {
  this.slow('2m').bail(true)
  const own = balancerPair('test-slow-balancers')

  const on = async (host: string, command: string) => {
    const { code, stdout, stderr } = await own.lab.exec(host, command)
    expect(code, `${host}: ${command}: ${stderr}`).to.equal(0)
    return stdout.trim()
  }
  const holds = async (host: string) => (await on(host, `ip -o address show to ${own.lab.vip} | wc -l`)) === '1'
  /** The number of times that either host has become the master. */
  const moves = async () => {
    const count = "journalctl -q --no-pager -o cat -u keepalived | grep -c 'Entering MASTER STATE' || true"
    const counts = await Promise.all([on('lb1', count), on('lb2', count)])
    return counts.reduce((sum, text) => sum + Number(text), 0)
  }
  const journals = async () => {
    const last = 'journalctl -q --no-pager -o short-precise -u keepalived -n 40; chrt -p "$(pgrep -n keepalived)"'
    return (await Promise.all([on('lb1', last), on('lb2', last)])).join('\n\n')
  }
  const back = () => eventually(() => holds('lb1'))
  /** Runs the body while both have little processor time, and processes that use all of it. */
  const underLoad = async (body: () => Promise<unknown>) => {
    for (const host of ['lb1', 'lb2'])
      await on(
        host,
        `systemd-run -q --collect --unit busy sh -c 'for n in $(seq ${LOOPS}); do (while :; do /bin/ls / >/dev/null; done) & done; wait'`,
      )
    try {
      for (const host of HOSTS) await own.lab.slow(host, 5)
      await body()
    } finally {
      for (const host of HOSTS) await own.lab.fast(host)
      for (const host of ['lb1', 'lb2']) await on(host, 'systemctl stop busy')
    }
  }

  it('have the address on the first of them', async () => {
    const { code, text } = await own.run()
    expect(code, text).to.equal(0)
    await back()
    expect(await answers(own.lab)).to.equal(true)
  })

  it('keep it if every check starts late', async () => {
    const before = await moves()
    for (const host of ['lb1', 'lb2']) await on(host, LATE)
    await new Promise((done) => setTimeout(done, 15_000))
    expect(await moves()).to.equal(before)
    const { code, text } = await own.run()
    expect(code, text).to.equal(0)
  })

  it('keep it while both have 5 % of a core and start processes all the time', async () => {
    const before = await moves()
    await underLoad(() => new Promise((done) => setTimeout(done, SLOW_FOR)))
    expect(await moves(), await journals()).to.equal(before)
  })

  it('keep it over a reload', async () => {
    const before = await moves()
    for (const host of ['lb1', 'lb2']) await on(host, 'systemctl reload keepalived')
    await new Promise((done) => setTimeout(done, 10_000))
    expect(await moves()).to.equal(before)
  })

  it('lose it if haproxy is frozen, and get it back', async () => {
    await on('lb1', 'systemctl kill -s STOP haproxy')
    await eventually(() => holds('lb2'))
    await on('lb1', 'systemctl kill -s CONT haproxy')
    await back()
  })

  it('lose it under the same load with the former check, as a control', async () => {
    for (const host of ['lb1', 'lb2']) await on(host, FORMER)
    await back()
    const before = await moves()
    await underLoad(() => eventually(async () => (await moves()) > before))
  })
})
