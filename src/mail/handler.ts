import { z } from 'zod'
import { type Handler, PermanentFailure } from '../outbox/index.ts'
import type { Mail, Mailer } from './mailer.ts'

/** Open: a later version may have written more. */
const Body = z.object({
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
}) satisfies z.ZodType<Mail>

/** The mail in an outbox message of topic `mail`, or undefined if it is none. */
export function readMail(body: unknown): Mail | undefined {
  const parsed = Body.safeParse(body)
  return parsed.success ? parsed.data : undefined
}

/** Delivers the outbox's topic `mail`. */
export function mailHandler(mailer: Mailer): Handler {
  return async (body, { id, createdAt, signal }) => {
    const mail = readMail(body)
    if (!mail) throw new PermanentFailure('the message is not a mail')
    await mailer.send(mail, { id, date: createdAt, signal })
  }
}
