import { spawnSync } from 'node:child_process'

/** A piece of an inventory. */
export interface Piece {
  readonly kind: 'host' | 'vars' | 'yaml'
  readonly text: string
}

/** The values that Python reads; undefined for rejected texts. Values without JSON counterpart are `{ closed: … }`. */
export type Answer = { readonly value: unknown } | undefined

/** The reason why Python cannot be used here, if any. */
export function noPython(): string | undefined {
  const { status } = spawnSync('python3', ['-c', 'import shlex, yaml'])
  return status === 0 ? undefined : 'no python3 with yaml here (apt-get install python3 python3-yaml)'
}

/** Runs the parts of Python that Ansible uses: shlex, ast.literal_eval and PyYAML. */
export function askPython(pieces: readonly Piece[]): readonly Answer[] {
  const { stdout, stderr, status } = spawnSync('python3', ['-W', 'ignore', '-c', PROGRAM], {
    input: JSON.stringify(pieces),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout).map((answer: unknown) => answer ?? undefined)
}

const PROGRAM = String.raw`
import ast, datetime, json, math, re, shlex, sys, yaml

class Closed:
    def __init__(self, why): self.why = why
class Unsafe:
    def __init__(self, text): self.text = text

class Loader(yaml.SafeLoader): pass
Loader.add_constructor('!vault', lambda l, n: Closed('vault'))
Loader.add_constructor('!unsafe', lambda l, n: Unsafe(l.construct_scalar(n)))

def shown(v):
    if isinstance(v, Closed): return {'closed': v.why}
    if isinstance(v, Unsafe): return v.text
    if isinstance(v, bytes): return shown(v.decode())
    if isinstance(v, str): return {'closed': 'template'} if re.search(r'\{\{.*\}\}|\{%', v, re.S) else v
    if v is ...: return '...'
    if isinstance(v, (list, tuple)): return [shown(one) for one in v]
    if isinstance(v, set): return sorted([shown(one) for one in v], key=json.dumps)
    if isinstance(v, dict): return {key(k): shown(one) for k, one in v.items()}
    if isinstance(v, (datetime.date, datetime.datetime)): return {'closed': 'date'}
    if isinstance(v, complex): return {'closed': 'number'}
    if isinstance(v, int) and not isinstance(v, bool) and abs(v) > 2**53 - 1: return {'closed': 'number'}
    if isinstance(v, float) and not math.isfinite(v): return {'closed': 'infinite'}
    return v

def key(k):
    return k if isinstance(k, str) else json.dumps(k)

def value(text):
    try: return ast.literal_eval(text)
    except (ValueError, SyntaxError): return text

def read(kind, text):
    if kind == 'yaml':
        try: return shown(json.loads(text))
        except ValueError: return shown(yaml.load(text, Loader))
    if kind == 'vars':
        name, given = [one.strip() for one in text.split('=', 1)]
        return {name: shown(value(given))}
    words = shlex.split(text, comments=True)
    pairs = [one.split('=', 1) for one in words[1:]]
    return {'': words[0], **{name: shown(value(given)) for name, given in pairs}}

def answer(piece):
    try: return {'value': read(piece['kind'], piece['text'])}
    except Exception: return None

print(json.dumps([answer(piece) for piece in json.load(sys.stdin)]))
`
