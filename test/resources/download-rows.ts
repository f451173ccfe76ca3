import { download } from '../../src/resources/downloads/download.ts'
import { unpack } from '../../src/resources/downloads/unpack.ts'
import { venv } from '../../src/resources/downloads/venv.ts'
import { sha256 } from '../../src/resources/files/content.ts'
import { git } from '../../src/resources/system/git.ts'
import { dir, entry, type Row } from './kind-row.ts'

const SUM = 'ab'.repeat(32)
const OTHER = 'cd'.repeat(32)
const URL = 'https://example.net/tool'
const fetched = (sha256: string | undefined) => ({ tool: 'curl', sha256 })
const tool = download('/usr/local/bin/tool', URL, { sha256: SUM, mode: '0755' })
const archive = unpack('/opt/tool', '/var/cache/tool.tar', { sha256: SUM, strip: 1 })
const REQUIREMENTS = 'tool==1.0\n'
const environment = venv('/opt/venv', { requirements: REQUIREMENTS })
const made = (sum: string) => ({
  ...{ mark: `${sum} owner=root python=/usr/bin/python3`, isUnfinished: false, hasPython: true },
})
const REPO = 'https://example.net/app.git'
const COMMIT = 'a'.repeat(40)
const repository = { type: 'repository', repo: REPO, commit: undefined, changed: undefined }
const checkout = git('/srv/source', { repo: REPO, at: COMMIT })

/** Rows of kinds that fetch files. */
export const DOWNLOAD_ROWS: Readonly<Record<string, Row>> = {
  'a download that is there': { step: tool, have: [entry({ mode: '0755' }), fetched(SUM)] },
  'no download': {
    step: tool,
    have: [undefined, fetched(undefined)],
    differs: `create owner root, group root, mode 0755, content ${SUM.slice(0, 12)}`,
  },
  'a download with another content': {
    step: tool,
    have: [entry({ mode: '0755' }), fetched(OTHER)],
    differs: `change content ${OTHER.slice(0, 12)} → ${SUM.slice(0, 12)}`,
  },
  'a download with another mode, which is not fetched again': {
    step: tool,
    have: [entry({ mode: '0644' }), fetched(SUM)],
    differs: 'change mode 0644 → 0755',
    runs: ['chown root:root /usr/local/bin/tool && chmod 0755 /usr/local/bin/tool'],
  },
  'a download that is there with any content': {
    step: download('/srv/list', URL, { onlyIfMissing: true }),
    have: [entry({}), fetched(undefined)],
  },
  'a directory in place of a download': {
    step: tool,
    have: [dir, fetched(undefined)],
    refuses: '/usr/local/bin/tool is a directory, not a file',
  },
  'an archive that is unpacked': { step: archive, have: [dir, `${SUM} strip=1 root:root`] },
  'an archive that is not unpacked': {
    step: archive,
    have: [undefined, undefined],
    differs: `create archive ${SUM.slice(0, 12)}`,
  },
  'another archive that is unpacked': {
    step: archive,
    have: [dir, `${OTHER} strip=1 root:root`],
    differs: `change archive ${OTHER.slice(0, 12)} → ${SUM.slice(0, 12)}`,
  },
  'an environment of Python that is made': { step: environment, have: [dir, made(sha256(REQUIREMENTS))] },
  'no environment of Python': {
    step: environment,
    have: [undefined, { mark: undefined, isUnfinished: false, hasPython: false }],
    differs: `create requirements ${sha256(REQUIREMENTS).slice(0, 12)}`,
  },
  'an environment of Python with other requirements, whose interpreter is gone': {
    step: environment,
    have: [dir, { ...made(OTHER), hasPython: false }],
    differs: `change requirements ${OTHER.slice(0, 12)} → ${sha256(REQUIREMENTS).slice(0, 12)}, interpreter missing → /usr/bin/python3`,
  },
  'an environment of Python that a killed run has left': {
    step: environment,
    have: [dir, { mark: undefined, isUnfinished: true, hasPython: true }],
    differs: `create requirements ${sha256(REQUIREMENTS).slice(0, 12)}`,
  },
  'a directory in place of an environment of Python': {
    step: environment,
    have: [dir, { mark: undefined, isUnfinished: false, hasPython: false }],
    refuses: '/opt/venv is not an environment that venv has made',
  },
  'a checkout at the commit': { step: checkout, have: { ...repository, commit: COMMIT } },
  'no checkout': {
    step: checkout,
    have: { ...repository, type: 'none' },
    differs: `create repository ${REPO}, commit ${COMMIT}`,
  },
  'a checkout at another commit': {
    step: checkout,
    have: { ...repository, commit: 'b'.repeat(40) },
    differs: `change commit ${'b'.repeat(40)} → ${COMMIT}`,
  },
  'files in place of a checkout': {
    step: checkout,
    have: { ...repository, type: 'other' },
    refuses: '/srv/source has files and is not a git repository',
  },
  'a file in place of an archive': {
    step: archive,
    have: [entry({}), undefined],
    refuses: '/opt/tool is a file, not a directory',
  },
}
