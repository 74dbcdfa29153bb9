import { type Accent, type AccentColors, OWN_ACCENT } from '../config/accent.ts'
import type { Logo } from '../config/brand-files.ts'
import { type Asset, namedAsset } from './assets.ts'

/** What people see of the operator. */
export interface Brand {
  readonly name: string
  readonly privacyUrl?: string | undefined
  readonly termsUrl?: string | undefined
  readonly logo?: Logo | undefined
  readonly accent?: Accent | undefined
  readonly css?: string | undefined
}

/** What pages load for a brand, under names of its content. */
export interface BrandFiles {
  readonly files: ReadonlyMap<string, Asset>
  /** Paths, in the order in which they override each other. */
  readonly sheets: readonly string[]
  readonly logo: string | undefined
  readonly icon: string
}

const LOGO_RULES = `
.logo{height:40px;max-width:100%;object-fit:contain}
.host img{height:20px;max-width:80px;object-fit:contain}
`

export function brandFiles({ logo, accent, css }: Brand): BrandFiles {
  const ours = [accent ? variablesOf(accent) : '', logo ? LOGO_RULES : ''].join('')
  const sheets = [ours, css ?? '']
    .filter((text) => text !== '')
    .map((text) => namedAsset('brand', 'text/css; charset=utf-8', Buffer.from(text)))
  const picture = logo && namedAsset('brand', logo.type, logo.content)
  const { light } = accent ?? OWN_ACCENT
  return {
    files: new Map(
      [...sheets, ...(picture ? [picture] : [])].map(({ path, asset }) => [path, asset]),
    ),
    sheets: sheets.map(({ path }) => path),
    logo: picture?.path,
    icon: picture?.path ?? markIn(light.accent),
  }
}

/** The same selectors as in our sheet, so that the later one wins. */
function variablesOf({ light, dark }: Accent): string {
  return [
    `:root{${declarationsOf(light)}}`,
    `:root[data-theme="dark"]{${declarationsOf(dark)}}`,
    `@media (prefers-color-scheme:dark){:root:not([data-theme="light"]){${declarationsOf(dark)}}}`,
  ].join('\n')
}

function declarationsOf({ accent, accentStrong, onAccent, tint }: AccentColors): string {
  return `--accent:${accent};--accent-strong:${accentStrong};--on-accent:${onAccent};--tint:${tint}`
}

/** Our mark in white on a colour, for the browser's tab. */
function markIn(color: string): string {
  const svg = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'><rect width='24' height='24' rx='5' fill='${color}'/><path d='M6.5 18.5v-7a5.5 5.5 0 0 1 11 0v7M10 18.5v-6a2 2 0 0 1 4 0v6' fill='none' stroke='#fff' stroke-width='1.8' stroke-linecap='round'/></svg>`
  return `data:image/svg+xml,${svg.replace(/[<>#]/g, encodeURIComponent)}`
}
