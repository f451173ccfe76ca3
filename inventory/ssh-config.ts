import type { Ssh } from 'provision-ts'

/** The connection options of each host in the output of `vagrant ssh-config`. */
export function parseSshConfig(text: string): ReadonlyMap<string, Ssh> {
  const hosts = text.split(/^Host\s+/m).slice(1)
  return new Map(
    hosts.map((block) => {
      const [name = '', ...lines] = block.split('\n')
      const said = new Map(
        lines
          .map((line) => /^\s*(\w+)\s+"?(.*?)"?\s*$/.exec(line))
          .flatMap((found) => (found ? [[found[1], found[2]]] : [])),
      )
      const [host, user, identityFile, port] = [
        said.get('HostName'),
        said.get('User'),
        said.get('IdentityFile'),
        said.get('Port'),
      ]
      return [
        name.trim(),
        {
          ...(host && { host }),
          ...(user && { user }),
          ...(identityFile && { identityFile }),
          ...(port && { port: Number(port) }),
        },
      ]
    }),
  )
}
