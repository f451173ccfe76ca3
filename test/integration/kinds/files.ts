import type { AbsolutePath } from '../../../src/index.ts'
import type { Dice } from '../../support/dice.ts'
import { api, type Generator, type Site } from './api.ts'

const FILES = '/srv/kinds/files'

/** Files with various contents and options, in states that are right or wrong in one respect. */
export const files: Generator = (dice, site) => {
  const all = Array.from({ length: 1 + dice.below(4) }, (_, i) => oneFile(dice, site, `${FILES}/${i}`))
  return together(all)
}

function oneFile(dice: Dice, site: Site, path: AbsolutePath) {
  const text = dice.one('right\n', 'other\n', '')
  const owner = dice.one('root', 'deploy', '33')
  const mode = dice.one('0644', '0600')
  const options = { owner, mode, ...site.options() }
  const real = `${path}.real`
  const names = owner === '33' ? 'www-data' : owner
  const put = (at: string, content: string) =>
    `printf '${content.replace('\n', '\\n')}' > ${at}; chmod ${mode} ${at}; chown ${names}:${names} ${at}`
  const found = dice.one(
    ':',
    'rm -rf PATH',
    `rm -rf PATH; ${put('PATH', text)}`,
    `rm -rf PATH; ${put('PATH', 'wrong\n')}`,
    'rm -rf PATH; touch PATH; chmod 0666 PATH',
    `rm -rf PATH; ${put(real, text)}; ln -s ${real} PATH`,
    'rm -rf PATH PATH.none; ln -s PATH.none PATH',
  )
  const content = dice.one<() => Parameters<typeof api.file>[1]>(
    () => text,
    () => Buffer.from(text),
    () => api.secret.of(text),
    () => api.localFile(import.meta, `content/${text.trim() || 'empty'}`),
    () => api.template<{ readonly text: string }>(import.meta, 'text.ejs')({ text }),
  )()
  const follow = dice.maybe(0.3)
  return {
    found: `mkdir -p ${FILES}; ${found.replaceAll('PATH', path)}`,
    steps: [api.file(path, content, { ...options, follow, backup: dice.maybe(0.3) })],
  }
}

/** Nested directories with files, and a directory behind a link. */
export const directories: Generator = (dice, site) => {
  const root = '/srv/kinds/directories'
  const mode = dice.one('0755', '2750', '0700')
  const found = dice.one(
    ':',
    `rm -rf ${root}`,
    `rm -rf ${root}; mkdir -p ${root}/a/b; chmod ${mode} ${root}/a`,
    `rm -rf ${root}; mkdir -p ${root}/real ${root}/other; ln -s ${dice.one('real', 'other')} ${root}/link; echo behind > ${root}/real/file`,
  )
  const owner = dice.one('root', 'deploy')
  return {
    needs: `mkdir -p ${root}/real; ln -sfn real ${root}/by-hand`,
    found: `${found}\nmkdir -p ${root}/real; ln -sfn real ${root}/by-hand`,
    steps: [
      ...dice.some([
        api.directory(`${root}/a/b`, { owner, ...site.options() }),
        api.directory(`${root}/a`, { mode, ...site.options() }),
      ]),
      api.directory(`${root}/real`, site.options()),
      api.link(`${root}/link`, { target: 'real', ...site.options() }),
      ...dice.some([
        api.file(`${root}/link/file`, 'behind\n', site.options()),
        api.directory(`${root}/by-hand`, { follow: true, ...site.options() }),
      ]),
    ],
  }
}

/** Links and absent paths. */
export const links: Generator = (dice, site) => {
  const root = '/srv/kinds/links'
  const there = (path: string) =>
    dice.one(':', `rm -rf ${path}`, `rm -rf ${path}; ln -s one ${path}`, `rm -rf ${path}; echo file > ${path}`)
  const gone = dice.one(':', `mkdir -p ${root}/gone/deep; touch ${root}/gone/deep/file`, `rm -rf ${root}/gone`)
  return {
    found: `mkdir -p ${root}; ${there(`${root}/a`)}; ${there(`${root}/b`)}; ${gone}`,
    steps: [
      api.link(`${root}/a`, { target: dice.one('one', 'two', '/srv/kinds/links/b'), ...site.options() }),
      api.absent(`${root}/b`, site.options()),
      api.absent(`${root}/gone/deep`, site.options()),
      ...(dice.maybe() ? [api.absent(`${root}/gone`, site.options())] : []),
    ],
  }
}

/** Lines of files that others write, two of them in one file. */
export const lines: Generator = (dice, site) => {
  const path = '/srv/kinds/lines/conf'
  const found = dice.one(
    ':',
    `rm -f ${path}`,
    `printf 'a 1\\nb 1\\n' > ${path}`,
    `printf 'a 2\\r\\n# a 1\\r\\na 3\\r\\n' > ${path}`,
    `printf 'b 2\\nlast without end' > ${path}`,
  )
  return {
    found: `mkdir -p /srv/kinds/lines; ${found}`,
    steps: [
      api.line(path, `a ${dice.one(1, 2)}`, { match: /^#? ?a /, ...site.options() }),
      ...dice.some([
        api.line(path, `b ${dice.one(1, 2)}`, { match: /^b /, ...site.options() }),
        api.line(path, 'c', site.options()),
      ]),
    ],
  }
}

/** Commands: some read the result of earlier steps, some change the input of later steps. */
export const commands: Generator = (dice, site) => {
  const root = '/srv/kinds/commands'
  const [source, copy, wanted] = [`${root}/source`, `${root}/copy`, `${root}/wanted`] as const
  const put = (path: string) => dice.one(':', `rm -f ${path}`, `echo old > ${path}`, `echo new > ${path}`)
  const { sh } = api
  const spoil = dice.one(sh`echo changed-by-hand > ${wanted}`, sh`printf 'new\n' > ${wanted}`, sh`:`)
  return {
    needs: `mkdir -p ${root}`,
    found: `${[source, copy, wanted].map(put).join('; ')}; ${dice.one(':', `rm -f ${root}/made`, `touch ${root}/made`)}`,
    steps: [
      ...(dice.maybe() ? [api.file(source, 'new\n', site.options())] : []),
      ...dice.some([
        api.command(copy, sh`cat ${source} > ${copy} 2>/dev/null || : > ${copy}; ${spoil}`, {
          unless: sh`[ -e ${copy} ] && { [ ! -e ${source} ] || cmp -s ${source} ${copy}; }`,
          ...site.options(),
        }),
        api.withOutput(
          api.command(`${root}/made`, sh`touch ${root}/made`, { creates: `${root}/made`, ...site.options() }),
          () => [],
        ),
        api.flushHandlers(),
      ]),
      api.allowFailure(api.throttle(1, api.file(wanted, 'new\n', site.options())), 'it does not fail'),
    ],
  }
}

/** Files, links and absent paths in one transaction, with a validation, an activation and a probe. */
export const transactions: Generator = (dice, site) => {
  const root = '/srv/kinds/transactions'
  const { sh } = api
  const put = (path: string) =>
    dice.one(':', `rm -rf ${path}`, `rm -rf ${path}; echo old > ${path}`, `rm -rf ${path}; echo new > ${path}`)
  const parts = [
    api.file(`${root}/file`, 'new\n', { backup: dice.maybe() }),
    api.link(`${root}/link`, { target: 'file' }),
    api.absent(`${root}/gone`),
    api.unit('kinds-transaction.service', `[Service]\nExecStart=/bin/sleep ${dice.one(1000, 2000)}\n`),
  ]
  const some = dice.some(parts, 0.7)
  const { notify } = site.options()
  return {
    found: `mkdir -p ${root}; ${['file', 'link', 'gone'].map((name) => put(`${root}/${name}`)).join('; ')}`,
    steps: [
      api.transaction(root, some.length > 0 ? some : parts, {
        ...(dice.maybe() && { validate: sh`[ -d ${root} ]` }),
        ...(notify && { activate: notify }),
        ...(dice.maybe() && { probe: api.probe('it is there', sh`true`) }),
      }),
    ],
  }
}

function together(parts: readonly ReturnType<Generator>[]) {
  return {
    found: parts.map(({ found }) => found).join('\n'),
    steps: parts.flatMap(({ steps }) => steps),
  }
}
