import type { MailModels } from './mail-models.ts'
import {
  button,
  facts,
  heading,
  hello,
  type MailDocument,
  note,
  type Writing,
} from './mail-parts.ts'

/** The owner is to see it in time, so each of these mails has the way to stop it. */
export function holdMail(
  { name, origin, kind, opensAt, closesAt, stopLink, link }: MailModels['recovery-hold'],
  { translator, brand }: Writing,
): MailDocument {
  const { t, dateTime } = translator
  const params = { date: dateTime(link ? closesAt : opensAt) }
  const stop = { kind: 'link', label: t('mail.recovery.stop'), href: stopLink } as const
  return {
    ...heading(`recovery.${kind}`, translator, brand, params),
    blocks: [
      hello(name, translator),
      { kind: 'text', text: t(`mail.recovery.${kind}.text`, params) },
      ...(link ? [button('recovery.ready', link, translator)] : []),
      ...facts(origin, translator),
      note(t('mail.recovery.notYou'), translator),
      ...(link ? [stop] : [button('recovery', stopLink, translator)]),
    ],
  }
}
