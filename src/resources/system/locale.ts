import { Problem } from '../../model/problem.ts'
import type { Diff, FieldChange } from '../../model/resource/diff.ts'
import { read } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'

/** Options of {@link locale}. */
export interface LocaleOptions extends StepOptions {
  /** More locales that programs may use. @default none */
  readonly also?: readonly string[]
}

/**
 * The default locale (`LANG`) of the host, which is generated if it is missing. Sessions and services use it after their next start.
 *
 * @param name such as `de_DE.UTF-8`, `C.UTF-8` or `C`
 * @throws TypeError for another name, such as one of another character set
 * @throws Problem (on the host) without the package locales, unless all are `C.UTF-8` or `C`
 * @example [pkg('locales'), locale('de_DE.UTF-8', { also: ['en_US.UTF-8'] })]
 */
export function locale(name: string, { also = [], ...options }: LocaleOptions = {}): Step {
  for (const one of [name, ...also])
    if (!/^(?:[a-z]{2,3}_[A-Z]{2}\.UTF-8(?:@[a-z]+)?|C\.UTF-8|C|POSIX)$/.test(one))
      throw new TypeError(`locale: "${one}" is not the name of a locale such as de_DE.UTF-8 or C.UTF-8`)
  return localeStep({ name, all: [...new Set([name, ...also])].filter((one) => one.includes('_')) }, options)
}

interface LocaleParams {
  readonly name: string
  /** The locales to generate: all but those of the C library. */
  readonly all: readonly string[]
}

interface LocaleState {
  readonly lang: string | undefined
  /** The names in the spelling of `locale -a`. */
  readonly available: readonly string[]
  /** The locales that `locale-gen` generates; undefined without the package locales. */
  readonly generated: readonly string[] | undefined
}

const SETTING = '/etc/default/locale'

const localeStep = resource<LocaleParams, LocaleState>('locale', {
  id: ({ name }) => name,
  platforms: ['debian'],
  sets: () => [{ type: 'path', name: SETTING }],
  affects: 'itself',
  read: ({ all }) =>
    read(
      sh`for file in ${SETTING} /etc/locale.conf; do
  [ -r "$file" ] || continue
  while IFS= read -r line || [ "$line" ]; do case $line in LANG=*) printf '%s\n' "$line" ;; esac; done <"$file"
  break
done
if ${all.length > 0 ? sh`true` : sh`false`}; then
  locale -a 2>/dev/null
  if [ -r /etc/locale.gen ]; then echo 'Generated:'; while IFS= read -r line || [ "$line" ]; do case $line in [a-z]*) printf '%s\n' "\${line%% *}" ;; esac; done </etc/locale.gen; fi
fi`,
      ({ stdout }): LocaleState => {
        const lines = stdout.split('\n').filter((line) => line !== '')
        const cut = lines.indexOf('Generated:')
        const lang = lines.find((line) => line.startsWith('LANG='))?.slice('LANG='.length)
        return {
          lang: lang?.replace(/^(["'])(.*)\1$/, '$2'),
          available: lines.slice(0, cut === -1 ? undefined : cut).filter((line) => !line.startsWith('LANG=')),
          generated: cut === -1 ? undefined : lines.slice(cut + 1),
        }
      },
      {
        shared: true,
        dependsOn: [SETTING, '/etc/locale.conf', '/etc/locale.gen', '/usr/lib/locale', '/usr/sbin/locale-gen'],
        fakeValue: ({ packages, locales }) => ({
          lang: locales.lang,
          available: locales.all.map(spelling),
          generated: packages.has('locales') ? locales.all : undefined,
        }),
      },
    ),
  diff: ({ name, all }, { lang, available, generated }): Diff | undefined => {
    const fields: FieldChange[] = all
      // A locale that is missing in locale.gen is gone after the next locale-gen.
      .filter((one) => !available.includes(spelling(one)) || !generated?.includes(one))
      .map((one) => ({ name: 'locale', to: one }))
    if (lang !== name) fields.push({ name: 'LANG', ...(lang !== undefined && { from: lang }), to: name })
    if (fields.length === 0) return undefined
    const found: Diff = { action: 'change', fields }
    if (generated || all.length === 0) return found
    const problem = new Problem('The host cannot generate locales', { next: "Add pkg('locales') before it." })
    return { ...found, problem }
  },
  apply: ({ name, all }, { lang, available, generated = [] }) => {
    const missing = all.filter((one) => !available.includes(spelling(one)) || !generated.includes(one))
    return [
      ...(missing.length > 0 ? [{ script: generate(missing), timeout: '10m' as const }] : []),
      ...(lang === name ? [] : [setLang(name)]),
    ]
  },
  simulate: ({ name, all }, { locales }) => {
    locales.lang = name
    locales.all = [...new Set([...locales.all, ...all])]
  },
})

/** `locale -a` prints `de_DE.utf8` for `de_DE.UTF-8`. */
function spelling(name: string): string {
  return name.replace('.UTF-8', '.utf8')
}

function generate(names: readonly string[]) {
  return sh`for name in ${names}; do
  grep -q "^$name UTF-8" /usr/share/i18n/SUPPORTED || { echo "The C library has no locale $name" >&2; exit 1; }
  if grep -q "^# *$name UTF-8" /etc/locale.gen; then sed -i "s/^# *\($name UTF-8\)/\1/" /etc/locale.gen
  elif ! grep -q "^$name UTF-8" /etc/locale.gen; then printf '%s UTF-8\n' "$name" >>/etc/locale.gen; fi || exit
done
locale-gen >/dev/null`
}

/** Debian 13 has a link there. */
function setLang(name: string) {
  return sh`file=$(readlink -f ${SETTING}) && [ "$file" ] || file=${SETTING}
touch "$file" && sed -i -e '/^LANG=/d' "$file" && printf 'LANG=%s\n' ${name} >>"$file"`
}
