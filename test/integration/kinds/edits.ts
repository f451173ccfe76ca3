import { api, type Generator } from './api.ts'

/** Lines, blocks and replacements in files that others write, alone and in a transaction. */
export const edits: Generator = (dice, site) => {
  const root = '/srv/kinds/edits'
  const path = `${root}/conf` as const
  const marked = (id: string, text: string) => `# BEGIN provision ${id}\\n${text}\\n# END provision ${id}\\n`
  const found = dice.one(
    ':',
    `rm -rf ${root}`,
    `printf 'port 1\\nold 1\\nlast without end' > ${path}`,
    `printf 'old 2\\r\\nport 2\\r\\n' > ${path}`,
    `printf '${marked('a', 'one')}port 1\\n${marked('b', 'two')}' > ${path}`,
  )
  const all = [
    api.block(path, 'a', dice.one('one\n', 'one\ntwo\n'), { first: dice.maybe(), ...site.options() }),
    dice.one(api.block(path, 'b', 'two'), api.block.absent(path, 'b', site.options())),
    api.replace(path, /^port \d$/, 'port 3', site.options()),
    api.line.absent(path, /^old/, site.options()),
  ]
  const inTransaction = [api.block(`${root}/other`, 'a', 'one'), api.line(`${root}/other`, 'two', { first: true })]
  const conf = `${root}/conf.${dice.one('ini', 'json', 'yaml', 'toml')}` as const
  const settings = [
    api.setting(conf, ['a', 'b'], dice.one(1, 2), site.options()),
    dice.one(api.setting(conf, 'c', 'd', site.options()), api.setting.absent(conf, 'c', site.options())),
  ]
  return {
    found: `mkdir -p ${root}; ${found}`,
    steps: [
      ...dice.some(all, 0.7),
      ...dice.some(settings, 0.7),
      ...(dice.maybe() ? [api.transaction(`${root}/other`, inTransaction)] : []),
    ],
  }
}
