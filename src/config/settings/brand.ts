import { z } from 'zod'
import { httpUrl } from '../setting-types.ts'

/** What people see of the operator. */
export const BRAND_SETTINGS = {
  BRAND_NAME: z
    .string()
    .min(1)
    .max(60)
    .default('Gatehouse')
    .describe('Name shown on pages and in mail.'),
  PRIVACY_URL: httpUrl.optional().describe('Linked at the foot of every page.'),
  TERMS_URL: httpUrl.optional().describe('Linked at the foot of every page.'),
}
