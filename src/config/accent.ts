/** What the accent is drawn on, as the style sheet has it. */
const PAGES = {
  light: { ground: '#fbfaf7', surface: '#ffffff', ink: '#ffffff', away: '#000000' },
  dark: { ground: '#121413', surface: '#1a1d1b', ink: '#101211', away: '#ffffff' },
} as const
/** WCAG 2.2 AA for text. Edges and buttons, which need 3, have the same colour. */
const READABLE = 4.5
/** To which a colour for dark pages is made of the one for light pages. */
const CLEAR = 6

type Theme = keyof typeof PAGES

export interface AccentColors {
  readonly accent: string
  /** Under the pointer. */
  readonly accentStrong: string
  readonly onAccent: string
  /** Of notices, badges and buttons under the pointer. */
  readonly tint: string
}

export type Accent = Readonly<Record<Theme, AccentColors>>

/** Ours, which gatehouse.css has too. */
export const OWN_ACCENT: Accent = {
  light: { accent: '#14553f', accentStrong: '#0d4030', onAccent: '#ffffff', tint: '#eaf1ec' },
  dark: { accent: '#8fd3b3', accentStrong: '#aee3c9', onAccent: '#0c1d15', tint: '#1b2a22' },
}

/** From one colour for light pages, and one for dark pages or what can be read there of the first. */
export function accentFrom(light: string, dark = lightened(light)): Accent {
  return { light: colorsFor('light', light), dark: colorsFor('dark', dark) }
}

/** Why a colour cannot be read where links and buttons are, or undefined. */
export function accentFault(theme: Theme, color: string): string | undefined {
  const ratio = onPages(theme, color)
  if (ratio >= READABLE) return undefined
  const [found, away] = [Math.floor(ratio * 10) / 10, theme === 'light' ? 'darker' : 'lighter']
  return `has a contrast of ${found}:1 with ${theme} pages, text needs ${READABLE}:1 (WCAG AA); take a ${away} colour`
}

/** WCAG 2.2: from 1 for the same colour to 21 for black on white. */
export function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}

function onPages(theme: Theme, color: string): number {
  const { ground, surface } = PAGES[theme]
  return Math.min(contrast(color, ground), contrast(color, surface))
}

function colorsFor(theme: Theme, accent: string): AccentColors {
  const { ground, ink, away } = PAGES[theme]
  const tints = [0.12, 0.1, 0.08, 0.06, 0.04, 0.02].map((share) => mixed(ground, accent, share))
  return {
    accent,
    accentStrong: mixed(accent, away, 0.25),
    onAccent: ink,
    tint: tints.find((tint) => contrast(accent, tint) >= READABLE) ?? ground,
  }
}

function lightened(color: string): string {
  const steps = Array.from({ length: 20 }, (_, step) => mixed(color, '#ffffff', step / 20))
  return steps.find((each) => onPages('dark', each) >= CLEAR) ?? '#ffffff'
}

function mixed(one: string, other: string, share: number): string {
  const [from, to] = [channels(one), channels(other)]
  const parts = from.map((value, index) => value + ((to[index] ?? 0) - value) * share)
  return `#${parts.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = channels(color)
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function channels(color: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
}
