import { file, role, template } from 'provision-ts'

export interface WelcomeParams {
  /** The team that operates the host. */
  readonly team: string
  /** The purpose of the host, in a sentence. */
  readonly purpose: string
}

export interface Welcome extends WelcomeParams {
  readonly hostname: string
}

const text = template<Welcome>(import.meta, 'welcome.ejs')

/** Whoever logs in is reported where he is. */
export const welcome = role('welcome', (params: WelcomeParams, { facts }) => [
  file('/etc/welcome', text({ ...params, hostname: facts.hostname })),
  file('/etc/update-motd.d/50-welcome', '#!/bin/sh\ncat /etc/welcome\n', { mode: '0755' }),
])
