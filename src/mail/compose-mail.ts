import type { Config } from '../config/config.ts'
import type { SecretBox } from '../crypto/secret-box.ts'
import type { Logger } from '../logger/logger.ts'
import { Outbox } from '../outbox/index.ts'
import type { Views } from '../views/views.ts'
import { MailCaps } from './caps.ts'
import { Messages } from './messages.ts'

export interface MailDeps {
  readonly config: Pick<Config, 'issuer' | 'signIn'>
  readonly box: SecretBox
  readonly views: () => Views
  readonly logger: Logger
}

/** What writes mails, and counts them. */
export function composeMail({ config: { issuer, signIn }, box, views, logger }: MailDeps) {
  const outbox = new Outbox({ box })
  const mailCaps = new MailCaps()
  const messages = new Messages({ outbox, views, issuer, logger, signIn, caps: mailCaps })
  return { outbox, mailCaps, messages }
}
