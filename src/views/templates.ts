import { Eta } from 'eta'
import { listViews, readView } from './files.ts'
import { Html, print } from './html.ts'

/** The names that a template may use without ceremony; `m` is the page's model, `p` what a part was given. */
const SCOPE = [
  'm',
  'p',
  'page',
  'brand',
  'body',
  't',
  'th',
  'count',
  'date',
  'dateTime',
  'relative',
  'duration',
  'has',
  'html',
  'part',
  'attrs',
  'title',
  'goOn',
  'device',
  'problemText',
  'webUrl',
  'qrCode',
  'problemOf',
] as const

export type Template = (data: object) => Html

/**
 * Every template below `views/`, compiled once. Only files are templates, never text from a
 * database or a request (WB-03).
 */
export function compileTemplates(): (name: string) => Template {
  const eta = new Eta({
    autoEscape: true,
    escapeFunction: print,
    functionHeader: `const { ${SCOPE.join(', ')} } = it`,
    autoTrim: [false, 'nl'],
  })
  const compiled = new Map<string, Template>()
  for (const path of listViews('.eta')) {
    const template = eta.compile(readView(path).toString('utf8'))
    compiled.set(path.slice(0, -'.eta'.length), (data) => new Html(template.call(eta, data)))
  }
  return (name) => {
    const template = compiled.get(name)
    if (!template) throw new Error(`there is no template ${name}`)
    return template
  }
}

/** HTML attributes: `true` prints the bare name, `false` and `undefined` nothing. */
export function attrs(
  values: Readonly<Record<string, string | number | boolean | undefined>>,
): Html {
  const shown = Object.entries(values).filter(([, value]) => value !== undefined && value !== false)
  return new Html(
    shown
      .map(([name, value]) => (value === true ? ` ${name}` : ` ${name}="${print(value)}"`))
      .join(''),
  )
}

/** A stranger's link as an attribute value: only web addresses, never `javascript:` and its kin (CL-03). */
export function webUrl(url: string | undefined): string {
  return url && /^https?:\/\//i.test(url) ? url : ''
}
