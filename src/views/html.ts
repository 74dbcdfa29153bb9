const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

/**
 * Markup that is already safe: made by a template of ours or by `html`. Everything else a template
 * prints is escaped.
 */
export class Html {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** Markup with its values escaped. */
export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return new Html(
    strings
      .map((part, index) => (index < values.length ? part + print(values[index]) : part))
      .join(''),
  )
}

export function join(parts: readonly Html[], separator = ''): Html {
  return new Html(parts.join(separator))
}

/** What `<%= %>` does: refuses what Eta would print as "undefined", "null", "false" or "[object Object]". */
export function print(value: unknown): string {
  if (value instanceof Html) return value.toString()
  if (typeof value === 'string') return escapeHtml(value)
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  throw new TypeError(
    `a template printed ${value === null ? 'null' : `something of type ${typeof value}`}`,
  )
}
