const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
}

/** One tag or run of text of a document, in order. */
export type Token =
  | { kind: 'text'; text: string }
  | { kind: 'open' | 'close'; tag: string; attributes: Readonly<Record<string, string>> }

const TOKEN = /<!--[\s\S]*?-->|<![^>]*>|<(\/?)([a-zA-Z][\w-]*)((?:"[^"]*"|'[^']*'|[^>"'])*)>/g
const RAW = new Set(['script', 'style'])

/** A tolerant tokenizer, enough to read pages as a person without a mouse does. */
export function* tokensOf(html: string): Generator<Token> {
  let from = 0
  let raw: string | undefined
  for (const match of html.matchAll(TOKEN)) {
    const [whole, slash, name, rest = ''] = match
    const tag = name?.toLowerCase()
    if (raw && !(slash && tag === raw)) continue
    if (match.index > from && !raw)
      yield { kind: 'text', text: decode(html.slice(from, match.index)) }
    from = match.index + whole.length
    if (!tag) continue
    raw = !slash && RAW.has(tag) ? tag : undefined
    yield { kind: slash ? 'close' : 'open', tag, attributes: attributesOf(rest) }
  }
  if (from < html.length && !raw) yield { kind: 'text', text: decode(html.slice(from)) }
}

function attributesOf(source: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [, name = '', , double, single, bare] of source.matchAll(
    /([^\s=/"'>]+)(\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g,
  ))
    found[name.toLowerCase()] ??= decode(double ?? single ?? bare ?? '')
  return found
}

export function decode(text: string): string {
  return text.replace(/&(#x[\da-f]+|#\d+|\w+);/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return ENTITIES[name] ?? whole
    return String.fromCodePoint(
      name[1]?.toLowerCase() === 'x' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1)),
    )
  })
}

/** Text of the first element with that tag, white space folded. */
export function textOf(html: string, tag: string): string | undefined {
  let depth = 0
  let text = ''
  for (const token of tokensOf(html)) {
    if (token.kind === 'text') text += depth > 0 ? token.text : ''
    else if (token.tag === tag) {
      depth += token.kind === 'open' ? 1 : -1
      if (depth === 0) return fold(text)
    }
  }
  return undefined
}

/** Everything a reader sees, white space folded. */
export function visibleText(html: string): string {
  let text = ''
  let hidden = 0
  for (const token of tokensOf(html)) {
    if (token.kind === 'text') text += hidden > 0 ? '' : token.text
    else if (token.tag === 'title' || token.tag === 'template')
      hidden += token.kind === 'open' ? 1 : -1
    else text += ' '
  }
  return fold(text)
}

export const fold = (text: string) => text.replace(/\s+/g, ' ').trim()
