import { deviceName } from './device.ts'
import type { MailOrigin } from './mail-models.ts'
import { plainName } from './plain-name.ts'
import type { Translator } from './translator.ts'

/** A mail before it is HTML or text. Values are plain; the two renderers escape. */
export interface MailDocument {
  readonly subject: string
  /** What the inbox shows after the subject. */
  readonly preheader: string
  readonly title: string
  readonly blocks: readonly Block[]
}

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly code: string }
  /** At most one a mail. */
  | {
      readonly kind: 'button'
      readonly label: string
      readonly hint: string
      readonly href: string
    }
  | { readonly kind: 'link'; readonly label: string; readonly href: string }
  | { readonly kind: 'facts'; readonly rows: readonly (readonly [label: string, value: string])[] }
  | { readonly kind: 'note'; readonly title: string; readonly text: string }

export interface Writing {
  readonly translator: Translator
  readonly brand: string
}

interface CodeModel {
  readonly name?: string | undefined
  readonly origin?: MailOrigin | undefined
  readonly code: string
  readonly expiresInSeconds: number
  readonly link?: string | undefined
}

type CodeMail =
  | 'verifyEmail'
  | 'resetPassword'
  | 'changeEmail'
  | 'changePassword'
  | 'proveIdentity'
  | 'recoverAccount'
  | 'proveAddress'
  | 'signInCode'

export function codeMail(
  mail: CodeMail,
  model: CodeModel,
  { translator, brand }: Writing,
  text?: string,
): MailDocument {
  const { t, duration } = translator
  const lifetime = duration(model.expiresInSeconds)
  return {
    ...heading(mail, translator, brand, { duration: lifetime, code: grouped(model.code) }),
    blocks: [
      hello(model.name, translator),
      { kind: 'text', text: text ?? t(`mail.${mail}.text`) },
      { kind: 'code', code: grouped(model.code) },
      { kind: 'text', text: t('mail.expires', { duration: lifetime }) },
      ...(model.link ? [button(mail, model.link, translator)] : []),
      ...facts(model.origin, translator),
      note(t(`mail.${mail}.notYou`), translator),
    ],
  }
}

/** "123 456": three and three, as people say it. */
function grouped(code: string): string {
  return code.replace(/^(\d{3})(\d{3})$/, '$1 $2')
}

/** Subjects are fixed but for brand and code (EM-14). */
export function heading(
  mail: string,
  { t }: Translator,
  brand: string,
  params: Readonly<Record<string, string>> = {},
): Omit<MailDocument, 'blocks'> {
  const preheader = mail.startsWith('notice.') ? '' : t(`mail.${mail}.preheader`, params)
  return {
    subject: t(`mail.${mail}.subject`, { brand, ...params }),
    preheader,
    title: t(`mail.${mail}.title`, params),
  }
}

export function hello(name: string | undefined, { t }: Translator): Block {
  const plain = plainName(name ?? '')
  return { kind: 'text', text: plain ? t('mail.hello', { name: plain }) : t('mail.helloPlain') }
}

/** The one thing to do, by the words of the mail. */
export function button(mail: string, href: string, { t }: Translator): Block {
  return { kind: 'button', label: t(`mail.${mail}.button`), hint: t('mail.button'), href }
}

export function note(text: string, { t }: Translator): Block {
  return { kind: 'note', title: t('mail.notYou'), text }
}

/** Who asked: browser and system in words, address, time (UX-27). */
export function facts(origin: MailOrigin | undefined, translator: Translator, at?: Date): Block[] {
  const { t, dateTime } = translator
  const rows = [
    ...(at ? [[t('mail.facts.time'), dateTime(at)] as const] : []),
    ...(origin?.userAgent
      ? [[t('mail.facts.device'), deviceName(origin.userAgent, translator)] as const]
      : []),
    ...(origin?.ip
      ? [[t('mail.facts.address'), origin.ip.replace(/[^0-9a-fA-F:.]/g, '').slice(0, 45)] as const]
      : []),
  ]
  return rows.length > 0 ? [{ kind: 'facts', rows }] : []
}
