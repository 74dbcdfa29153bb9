import type { MailModels } from './mail-models.ts'
import { type Block, heading, hello, type MailDocument, note, type Writing } from './mail-parts.ts'

/** The first that its owner hears of an account: where the way in to it is made. */
export function accountCreatedMail(
  { name, link, passwordLink }: MailModels['account-created'],
  { translator, brand }: Writing,
): MailDocument {
  const { t, duration } = translator
  const label = t(`mail.accountCreated.${passwordLink ? 'password' : 'button'}`)
  const blocks: Block[] = [
    hello(name, translator),
    { kind: 'text', text: t('mail.accountCreated.text', { brand }) },
    { kind: 'button', label, hint: t('mail.button'), href: link },
  ]
  if (passwordLink) {
    const lifetime = duration(passwordLink.expiresInSeconds)
    blocks.push(
      { kind: 'text', text: t('mail.expires', { duration: lifetime }) },
      { kind: 'link', label: t('mail.accountCreated.later'), href: passwordLink.laterLink },
    )
  }
  blocks.push(note(t('mail.accountCreated.notYou'), translator))
  return { ...heading('accountCreated', translator, brand), blocks }
}
