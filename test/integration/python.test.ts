// cspell:ignore dist purelib
import { expect } from 'chai'
import { directory, pkg, type Steps, user, venv } from '../../src/index.ts'
import { converge, fakeHost } from '../../src/testing/index.ts'
import { onLab } from './lab-site.ts'
import { ownLab } from './support.ts'

describe('an environment of Python', function () {
  this.slow('20s')
  const own = ownLab('test-python', ['web1'], () => ({}))
  const exec = async (script: string) => {
    const { code, stdout, stderr } = await own.lab.exec('web1', script)
    expect(code, stdout + stderr).to.equal(0)
    return stdout.trim()
  }
  /** Applies the steps, and again, which must change nothing; returns the changed steps. */
  const twice = async (...steps: readonly Steps[]) => {
    const first = await onLab(own.lab, steps)
    expect(first.problems).to.deep.equal([])
    const again = await onLab(own.lab, steps)
    expect([...again.problems, ...again.steps.filter((one) => !one.startsWith('ok '))]).to.deep.equal([])
    return first.steps.filter((one) => !one.startsWith('ok '))
  }
  const environment = (version: string, owner = 'report') =>
    venv('/opt/report/venv', { requirements: `--no-index --find-links /srv/wheels\ntool==${version}\n`, owner })
  const needed = [pkg('python3', 'python3-venv'), user('report', { home: '/opt/report' }), directory('/opt/report')]
  const says = () => exec('/opt/report/venv/bin/python -c "import tool; print(tool.version)"')

  before(async () => {
    await twice(needed)
    await exec(WHEELS)
  })

  it('has the packages of the requirements, and belongs to its owner', async () => {
    expect(await twice(needed, environment('1.0'))).to.deep.equal(['changed python environment /opt/report/venv'])
    expect(await says()).to.equal('1.0')
    const fake = await converge(environment('1.0'), fakeHost({ users: ['report'] }))
    expect(fake.plan, 'on a fake host').to.deep.equal(['create python environment /opt/report/venv'])
    expect(await exec('stat -c %U /opt/report/venv/bin/python /opt/report/venv/lib | sort -u')).to.equal('report')
  })

  it('is made again for other requirements, and stays if that fails', async () => {
    await twice(environment('2.0'))
    expect(await says()).to.equal('2.0')
    expect((await onLab(own.lab, environment('9.0'))).problems.join('\n')).to.include('no index has tool==9.0')
    expect(await says()).to.equal('2.0')
    expect(await exec('ls -A /opt/report')).to.equal('venv')
  })

  it('is made again if the interpreter is gone, and after a killed run', async () => {
    await exec('ln -sfn /usr/bin/python3.0 /opt/report/venv/bin/python')
    await twice(environment('2.0'))
    await exec('cd /opt/report; mv venv venv.provision-old; mkdir venv; touch venv/.provision-unfinished')
    await twice(environment('2.0'))
    expect(await says()).to.equal('2.0')
    expect(await exec('ls -A /opt/report')).to.equal('venv')
  })

  it('does not replace a directory that it has not made', async () => {
    await exec('mkdir -p /opt/theirs')
    const step = venv('/opt/theirs', { requirements: '' })
    expect((await onLab(own.lab, step)).problems.join('\n')).to.include('is not an environment that venv has made')
  })
})

/** Two versions of a package, as wheels. */
const WHEELS = `mkdir -p /srv/wheels && cd /srv/wheels && python3 - <<'END'
import zipfile
for version in ('1.0', '2.0'):
    with zipfile.ZipFile(f'tool-{version}-py3-none-any.whl', 'w') as wheel:
        info = f'tool-{version}.dist-info'
        wheel.writestr('tool.py', f'version = "{version}"\\n')
        wheel.writestr(f'{info}/METADATA', f'Metadata-Version: 2.1\\nName: tool\\nVersion: {version}\\n')
        wheel.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
        wheel.writestr(f'{info}/RECORD', f'tool.py,,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n')
END`
