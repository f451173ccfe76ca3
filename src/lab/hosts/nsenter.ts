/** Runs a command as root inside a host, by way of its PID 1's namespaces, with a clean environment. */
export function nsenterCommand(leader: number, command: readonly string[]): readonly string[] {
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup']
  const environment = [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/root',
    'LANG=C.UTF-8',
  ]
  return ['nsenter', '--target', String(leader), ...namespaces, '--', 'env', '-i', ...environment, ...command]
}
