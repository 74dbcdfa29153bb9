/** Filling and joining characters that take no ink, by themselves or in every font: also letters, such as the Hangul filler. */
const INKLESS = /[\p{Default_Ignorable_Code_Point}\u2800]/gu

/** Whether a reader sees anything of it: a letter, digit, punctuation mark or symbol. */
export function isVisible(text: string): boolean {
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(text.replace(INKLESS, ''))
}
