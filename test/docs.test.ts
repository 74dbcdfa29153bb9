import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { withParties } from './relying-parties/table.ts'
import { withSettings } from './support/settings.ts'
import { ROOT } from './support/sources.ts'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const documents = globSync(['*.md', 'docs/**/*.md', 'examples/*/*.md', 'conformance/*.md'], {
  cwd: ROOT,
}).map((path) => path.replaceAll('\\', '/'))
const { scripts } = JSON.parse(read('package.json')) as {
  scripts: Readonly<Record<string, string>>
}

/** Text outside of code blocks and code spans. */
function prose(text: string): string {
  return text
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/^(?: {4}|\t).*$/gm, '')
    .replace(/`[^`\n]*`/g, '')
}

/** The anchors that a Markdown viewer gives the headings. */
function anchors(text: string): string[] {
  const headings = Array.from(
    text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#{1,6} (.+)$/gm),
    ([, heading = '']) => heading,
  )
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}

/** Why a link inside the repository leads nowhere; undefined if it leads somewhere. */
function fault(document: string, link: string): string | undefined {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? document : normalize(join(dirname(document), path))
  if (!existsSync(join(ROOT, target))) return `${document}: ${link} is not there`
  if (anchor !== undefined && !anchors(read(target)).includes(anchor))
    return `${document}: ${link} has no such heading`
  return undefined
}

function linksOf(document: string): string[] {
  const targets = Array.from(
    prose(read(document)).matchAll(/\]\(<?([^()\s>]+)>?\)/g),
    ([, link = '']) => link,
  )
  return targets.filter((link) => !/^[a-z][a-z+.-]*:/i.test(link))
}

/** Paths in code spans that name a file or folder of ours. */
function pathsOf(document: string): string[] {
  const spans = Array.from(
    read(document).matchAll(/`((?:src|test|docs|bin|bench|examples|views|migrations)\/[\w./-]*)`/g),
    ([, path = '']) => path,
  )
  return [...new Set(spans)]
}

describe('the documents', () => {
  it('reads the documents it judges', () => {
    expect(documents).toEqual(
      expect.arrayContaining([
        'README.md',
        'CHANGELOG.md',
        'docs/operations.md',
        'docs/architecture.md',
        'docs/flows.md',
      ]),
    )
    expect(linksOf('README.md').length).toBeGreaterThan(10)
    expect(anchors('# A & b\n\n## `x` is one: two')).toEqual(['a--b', 'x-is-one-two'])
  })

  it('link only to files and headings that are there', () => {
    expect(
      documents.flatMap((document) =>
        linksOf(document)
          .map((link) => fault(document, link))
          .filter(Boolean),
      ),
    ).toEqual([])
  })

  it('say what every event of the log means, and of no other', () => {
    const logged = globSync('src/**/*.ts', { cwd: ROOT }).flatMap((path) =>
      Array.from(
        read(path).matchAll(/(?:event: |#about\(message, )'([a-z_]+\.[a-z_]+)'/g),
        ([, event = '']) => event,
      ),
    )
    const [, section = ''] = /^## Logs\n([\s\S]*?)^## /m.exec(read('docs/operations.md')) ?? []
    const told = Array.from(section.matchAll(/`([a-z_]+\.[a-z_]+)`/g), ([, event = '']) => event)
    expect(logged.length).toBeGreaterThan(15)
    expect(new Set(told)).toEqual(new Set(logged))
  })

  it('name only files of ours that are there', () => {
    const missing = documents.flatMap((document) =>
      pathsOf(document)
        .filter((path) => !existsSync(join(ROOT, path)))
        .map((path) => `${document}: ${path}`),
    )
    expect(missing).toEqual([])
  })

  it('name only npm scripts that exist', () => {
    const named = documents.flatMap((document) =>
      Array.from(
        read(document).matchAll(/\bnpm run (?:--[\w-]+ )*([\w:-]+)/g),
        ([, script = '']) => ({ document, script }),
      ),
    )
    expect(named.length).toBeGreaterThan(5)
    expect(named.filter(({ script }) => !(script in scripts))).toEqual([])
  })

  it('show every picture of docs/images, and none is missing', () => {
    const shown = Array.from(
      read('README.md').matchAll(/\(docs\/images\/([\w-]+\.png)\)/g),
      ([, name = '']) => name,
    )
    expect(new Set(globSync('*.png', { cwd: join(ROOT, 'docs/images') }))).toEqual(new Set(shown))
  })
})

describe('the words of the documents and comments', () => {
  /** Words of riddles, and what the field calls it instead. */
  const RIDDLES = /\b(?:[Ww]hoever|of late|(?:short|plain) way|stands(?! (?:for|in)\b))\b/g
  const riddlesIn = (path: string, text: string) =>
    (text.match(RIDDLES) ?? []).map((word) => `${path}: ${word}`)
  const commentsIn = (text: string) =>
    (text.match(/\/\*\*[\s\S]*?\*\/|^\s*\/\/.*$/gm) ?? []).join('\n')

  it('are those that one would search for', () => {
    const inDocuments = documents.flatMap((path) => riddlesIn(path, prose(read(path))))
    const inComments = globSync('src/**/*.ts', { cwd: ROOT }).flatMap((path) =>
      riddlesIn(path, commentsIn(read(path))),
    )
    expect([...inDocuments, ...inComments]).toEqual([])
    expect(riddlesIn('x', 'Whoever stands there takes the short way')).toHaveLength(3)
  })

  it('are in lines of at most 120 columns, tables, links and code apart', () => {
    const long = documents.flatMap((path) =>
      prose(read(path))
        .split('\n')
        .filter((line) => line.length > 120 && !/^\s*(?:\||\[)/.test(line))
        .map((line) => `${path}: ${line.slice(0, 60)}`),
    )
    expect(long).toEqual([])
  })
})

describe('docs/promises.md', () => {
  /** Requirement ids and faults; the titles of a test quote what it proves. */
  const idsIn = (text: string) => text.match(/\b(?:[A-Z]{2}-\d{2}|F[0-3]\d)\b(?!-)/g) ?? []
  const idsOf = (pattern: string) =>
    new Set(globSync(pattern, { cwd: ROOT }).flatMap((path) => idsIn(read(path))))
  const rows = Array.from(
    read('docs/promises.md').matchAll(/^\| ([A-Z]{2}-\d{2}|F\d{2}) \| .+ \|$/gm),
    ([, id = '']) => id,
  )

  it('has one line for each id that code or tests quote', () => {
    expect(idsOf('src/**/*.ts').size).toBeGreaterThan(100)
    const quoted = new Set([...idsOf('src/**/*.ts'), ...idsOf('test/**/*.ts')])
    expect([...quoted].filter((id) => !rows.includes(id)).toSorted()).toEqual([])
    expect(rows.length).toBe(new Set(rows).size)
  })

  it('has no line that no test quotes', () => {
    const proven = idsOf('test/**/*.ts')
    expect(rows.filter((id) => !proven.has(id))).toEqual([])
  })
})

describe('docs/operations.md', () => {
  it('has the settings of today (else: npm run docs)', () => {
    expect(withSettings(read('docs/operations.md'))).toBe(read('docs/operations.md'))
  })
})

describe('docs/relying-parties.md', () => {
  it('has the parties of today (else: npm run docs)', () => {
    expect(withParties(read('docs/relying-parties.md'))).toBe(read('docs/relying-parties.md'))
  })
})

describe('what is read first', () => {
  it.each([
    ['README.md', 250],
    ['CONTRIBUTING.md', 100],
  ])('%s has at most %i lines', (document, most) => {
    expect(read(document).trimEnd().split('\n').length).toBeLessThanOrEqual(most)
  })

  it('README.md and docs/operations.md give the same secrets to docker compose, all that it asks for', () => {
    const asked = Array.from(
      read('docker-compose.yml').matchAll(/^ {2}(\w+): \{ file: \.\/secrets\/\1 \}$/gm),
      ([, name = '']) => name,
    )
    expect(asked.length).toBeGreaterThan(5)
    for (const document of ['README.md', 'docs/operations.md']) {
      const [, loop = ''] = /^ {4}for name in (.+?); do openssl/m.exec(read(document)) ?? []
      const made = [
        ...loop.split(' '),
        ...Array.from(
          read(document).matchAll(/^ {4}echo ".+" > (\w+)$/gm),
          ([, name = '']) => name,
        ),
      ]
      expect(new Set(made)).toEqual(new Set(asked))
    }
  })

  it('decisions have numbers of their own', () => {
    const numbers = globSync('*.md', { cwd: join(ROOT, 'docs/decisions') }).map((name) =>
      name.slice(0, 4),
    )
    expect(numbers.filter((number) => !/^\d{4}$/.test(number))).toEqual([])
    expect(new Set(numbers).size).toBe(numbers.length)
  })
})

describe('docs/conformance.md', () => {
  const rows = read('docs/conformance.md')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(2, -2).split(/ *\| */))
    .filter(([, state]) => state !== 'State')

  it('says of every row that it is there, with tests, or that it is not, with a reason', () => {
    expect(rows.length).toBeGreaterThan(50)
    const faults = rows.filter(([, state, text = '', tests = '']) => {
      if (state === 'No') return text.length < 20
      const files = Array.from(tests.matchAll(/`([\w/-]+)`/g), ([, file = '']) => file)
      return (
        files.length === 0 ||
        files.some((file) => !existsSync(join(ROOT, 'test', `${file}.test.ts`)))
      )
    })
    expect(faults).toEqual([])
  })
})
