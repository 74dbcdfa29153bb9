import type { ForeignForm } from './models.ts'

/** Reads the form that oidc-provider hands to `logoutSource` and the like. */
export function foreignForm(markup: string): ForeignForm {
  const action = /\saction="([^"]*)"/.exec(markup)?.[1] ?? ''
  const inputs = [...markup.matchAll(/<input[^>]*\sname="([^"]*)"[^>]*\svalue="([^"]*)"/g)]
  return {
    action: decode(action),
    fields: Object.fromEntries(
      inputs.map(([, name = '', value = '']) => [decode(name), decode(value)]),
    ),
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  '#x27': "'",
}

function decode(value: string): string {
  return value.replace(
    /&(amp|lt|gt|quot|#39|#x27);/g,
    (whole, name: string) => ENTITIES[name] ?? whole,
  )
}
