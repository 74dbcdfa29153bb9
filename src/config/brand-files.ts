import { readFileSync, statSync } from 'node:fs'
import { type PictureType, pictureTypeOf } from '../picture-type.ts'

/** A page with it should weigh little more than one without. */
const MAX_KB = { logo: 128, css: 64 } as const

export interface Logo {
  readonly type: PictureType
  readonly content: Buffer
}

/** Throws one sentence without the path when pages cannot show it. */
export function readLogo(path: string): Logo {
  const content = readBounded(path, MAX_KB.logo)
  const type = pictureTypeOf(content)
  if (type) return { type, content }
  if (/^(\ufeff|\s)*<(\?xml|!--|!doctype svg|svg)/i.test(content.toString('utf8', 0, 512)))
    throw new Error('is an SVG, which is a document and not a picture; give it as PNG or WebP')
  throw new Error('is no PNG, JPEG or WebP picture')
}

/** A style sheet of which all can have an effect: the pages' policy lets them load nothing foreign. */
export function readStyleSheet(path: string): string {
  const content = readBounded(path, MAX_KB.css)
  let css: string
  try {
    css = new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch {
    throw new Error('is no text in UTF-8')
  }
  const rules = css.replace(/\/\*[\s\S]*?\*\//g, '')
  if (/@import\b/i.test(rules))
    throw new Error(
      'has an @import, which the policy of the pages blocks; put all into the one file',
    )
  if (/url\(\s*["']?\s*([a-z][a-z0-9+.-]*:)?\/\//i.test(rules))
    throw new Error('names another server, which the policy of the pages blocks; use a data: URL')
  return css
}

/** Looks at the size first: a path may be that of anything. */
function readBounded(path: string, maxKb: number): Buffer {
  const { size, isFile } = statOf(path)
  if (!isFile) throw new Error('cannot be read')
  if (size > maxKb * 1024)
    throw new Error(`is ${Math.ceil(size / 1024)} kB large, ${maxKb} kB are allowed`)
  try {
    return readFileSync(path)
  } catch {
    throw new Error('cannot be read')
  }
}

function statOf(path: string): { size: number; isFile: boolean } {
  const stats = statSync(path, { throwIfNoEntry: false })
  return { size: stats?.size ?? 0, isFile: stats?.isFile() ?? false }
}
