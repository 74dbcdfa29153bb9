import { encode } from 'uqr'
import { type Html, html } from './html.ts'

/**
 * A QR code as inline SVG, one path, with the quiet zone that readers need. Its colours are the
 * style sheet's.
 */
export function qrCode(text: string, label: string): Html {
  const { data, size } = encode(text, { border: 3, ecc: 'M' })
  return html`<svg class="qr" viewBox="0 0 ${size} ${size}" role="img" aria-label="${label}" shape-rendering="crispEdges"><path d="${outline(data)}"/></svg>`
}

/** The same as a file of its own, black on white, for the JSON door. */
export function qrSvg(text: string): string {
  const { data, size } = encode(text, { border: 3, ecc: 'M' })
  return String(
    html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path d="${outline(data)}"/></svg>`,
  )
}

/** Dark runs of each row as rectangles one unit high. */
function outline(rows: readonly (readonly boolean[])[]): string {
  return rows
    .map((row, y) =>
      [
        ...row
          .map((isDark) => (isDark ? '1' : '0'))
          .join('')
          .matchAll(/1+/g),
      ]
        .map((run) => `M${run.index} ${y}h${run[0].length}v1h-${run[0].length}z`)
        .join(''),
    )
    .join('')
}
