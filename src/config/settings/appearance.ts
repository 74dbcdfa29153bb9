import { z } from 'zod'
import { readLogo, readStyleSheet } from '../brand-files.ts'
import { accent, httpUrl, made } from '../setting-types.ts'

/** What people see of the operator. */
export const BRAND_SETTINGS = {
  BRAND_NAME: z
    .string()
    .min(1)
    .max(60)
    .default('Gatehouse')
    .describe('Name shown on pages and in mail.'),
  BRAND_LOGO: made(readLogo)
    .optional()
    .describe(
      'Path of a PNG, JPEG or WebP picture of at most 128 kB, shown in place of our mark and the name. Read at the start.',
    ),
  BRAND_ACCENT: accent
    .optional()
    .describe(
      'Colour of links and buttons on pages and in mail: `#14553f`, or two, for light and dark pages: `#14553f,#8fd3b3`.',
    ),
  BRAND_CSS: made(readStyleSheet)
    .optional()
    .describe(
      'Path of a style sheet of at most 64 kB, which pages load after ours. Read at the start.',
    ),
  LOCALES_DIR: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder of JSON files that add languages, or other words for ours. Read at the start. See [Languages](#languages).',
    ),
  PRIVACY_URL: httpUrl.optional().describe('Linked at the foot of every page.'),
  TERMS_URL: httpUrl.optional().describe('Linked at the foot of every page.'),
}
