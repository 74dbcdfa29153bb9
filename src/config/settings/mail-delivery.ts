import { z } from 'zod'

/** How mail leaves. */
export const MAIL_SETTINGS = {
  SMTP_URL: z
    .url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// URL' })
    .optional()
    .describe(
      'Mail server. `smtp:` demands STARTTLS unless the host is loopback or `?requireTLS=false` is appended. Unset outside production: mail is kept in the dev inbox.',
    ),
  MAIL_FROM: z
    .string()
    .min(3)
    .max(254)
    .optional()
    .describe('Sender address of all mail. Default `no-reply@<issuer host>`.'),
}
