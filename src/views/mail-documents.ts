import { deviceName } from './device.ts'
import type { MailModels, MailName, MailOrigin } from './mail-models.ts'
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

type Writers = {
  readonly [Name in MailName]: (model: MailModels[Name], writing: Writing) => MailDocument
}

export const WRITERS: Writers = {
  'verify-email': (model, writing) => {
    const client = model.client ? plainName(model.client) : ''
    const text = client
      ? writing.translator.t('mail.verifyEmail.textClient', { client })
      : undefined
    return codeMail('verifyEmail', model, writing, text)
  },
  'reset-password': (model, writing) => codeMail('resetPassword', model, writing),
  'change-email': (model, writing) => codeMail('changeEmail', model, writing),
  'change-password': (model, writing) => codeMail('changePassword', model, writing),
  'prove-identity': (model, writing) => codeMail('proveIdentity', model, writing),
  'already-registered': ({ name, origin, signInLink, resetLink }, { translator, brand }) => {
    const { t } = translator
    return {
      ...heading('alreadyRegistered', translator, brand),
      blocks: [
        hello(name, translator),
        { kind: 'text', text: t('mail.alreadyRegistered.text') },
        ...(signInLink
          ? [
              {
                kind: 'button',
                label: t('mail.alreadyRegistered.button'),
                hint: t('mail.button'),
                href: signInLink,
              } as const,
            ]
          : []),
        {
          kind: 'link',
          label: t(`mail.alreadyRegistered.${signInLink ? 'reset' : 'mustReset'}`),
          href: resetLink,
        },
        ...facts(origin, translator),
        note(t('mail.alreadyRegistered.notYou'), translator),
      ],
    }
  },
  'change-email-notice': (
    { name, origin, newEmail, undoLink, undoUntil },
    { translator, brand },
  ) => {
    const { t, dateTime } = translator
    return {
      ...heading('changeEmailNotice', translator, brand),
      blocks: [
        hello(name, translator),
        { kind: 'text', text: t('mail.changeEmailNotice.text', { email: newEmail }) },
        ...facts(origin, translator),
        note(t('mail.changeEmailNotice.notYou', { date: dateTime(undoUntil) }), translator),
        {
          kind: 'button',
          label: t('mail.changeEmailNotice.button'),
          hint: t('mail.button'),
          href: undoLink,
        },
      ],
    }
  },
  'security-notice': ({ name, origin, kind, at, reportLink }, { translator, brand }) => {
    const { t } = translator
    return {
      ...heading(`notice.${kind}`, translator, brand),
      preheader: t('mail.notice.preheader'),
      blocks: [
        hello(name, translator),
        { kind: 'text', text: t(`mail.notice.${kind}.text`) },
        ...facts(origin, translator, at),
        { kind: 'text', text: t('mail.notice.ifYou') },
        note(t('mail.notice.notYou'), translator),
        {
          kind: 'button',
          label: t('mail.notice.button'),
          hint: t('mail.button'),
          href: reportLink,
        },
      ],
    }
  },
  'account-deletion': ({ name, origin, undoLink, deletesAt }, { translator, brand }) => {
    const { t, date } = translator
    return {
      ...heading('accountDeletion', translator, brand, { date: date(deletesAt) }),
      blocks: [
        hello(name, translator),
        { kind: 'text', text: t('mail.accountDeletion.text', { date: date(deletesAt) }) },
        {
          kind: 'button',
          label: t('mail.accountDeletion.button'),
          hint: t('mail.button'),
          href: undoLink,
        },
        ...facts(origin, translator),
        note(t('mail.accountDeletion.notYou'), translator),
      ],
    }
  },
  'keep-account': ({ name, origin, undoLink, deletesAt }, { translator, brand }) => {
    const { t, date } = translator
    return {
      ...heading('keepAccount', translator, brand, { date: date(deletesAt) }),
      blocks: [
        hello(name, translator),
        { kind: 'text', text: t('mail.keepAccount.text', { date: date(deletesAt) }) },
        {
          kind: 'button',
          label: t('mail.keepAccount.button'),
          hint: t('mail.button'),
          href: undoLink,
        },
        ...facts(origin, translator),
        note(t('mail.keepAccount.notYou'), translator),
      ],
    }
  },
  'account-closed': ({ name, origin }, { translator, brand }) => {
    const { t } = translator
    return {
      ...heading('accountClosed', translator, brand),
      blocks: [
        hello(name, translator),
        { kind: 'text', text: t('mail.accountClosed.text', { brand }) },
        ...facts(origin, translator),
        note(t('mail.accountClosed.notYou'), translator),
      ],
    }
  },
}

interface CodeModel {
  readonly name?: string | undefined
  readonly origin?: MailOrigin | undefined
  readonly code: string
  readonly expiresInSeconds: number
  readonly link?: string | undefined
}

type CodeMail = 'verifyEmail' | 'resetPassword' | 'changeEmail' | 'changePassword' | 'proveIdentity'

function codeMail(
  mail: CodeMail,
  model: CodeModel,
  { translator, brand }: Writing,
  text?: string,
): MailDocument {
  const { t, duration } = translator
  const lifetime = duration(model.expiresInSeconds)
  const button: Block[] = model.link
    ? [
        {
          kind: 'button',
          label: t(`mail.${mail}.button`),
          hint: t('mail.button'),
          href: model.link,
        },
      ]
    : []
  return {
    ...heading(mail, translator, brand, { duration: lifetime, code: grouped(model.code) }),
    blocks: [
      hello(model.name, translator),
      { kind: 'text', text: text ?? t(`mail.${mail}.text`) },
      { kind: 'code', code: grouped(model.code) },
      { kind: 'text', text: t('mail.expires', { duration: lifetime }) },
      ...button,
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
function heading(
  mail: string,
  { t }: Translator,
  brand: string,
  params: Readonly<Record<string, string>> = {},
): Omit<MailDocument, 'blocks'> {
  const preheader = mail.startsWith('notice.') ? '' : t(`mail.${mail}.preheader`, params)
  return {
    subject: t(`mail.${mail}.subject`, { brand, ...params }),
    preheader,
    title: t(`mail.${mail}.title`),
  }
}

function hello(name: string | undefined, { t }: Translator): Block {
  const plain = plainName(name ?? '')
  return { kind: 'text', text: plain ? t('mail.hello', { name: plain }) : t('mail.helloPlain') }
}

function note(text: string, { t }: Translator): Block {
  return { kind: 'note', title: t('mail.notYou'), text }
}

/** Who asked: browser and system in words, address, time (UX-27). */
function facts(origin: MailOrigin | undefined, translator: Translator, at?: Date): Block[] {
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
