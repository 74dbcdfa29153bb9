import { accountCreatedMail } from './account-created-mail.ts'
import type { MailModels, MailName } from './mail-models.ts'
import {
  type Block,
  button,
  codeMail,
  facts,
  heading,
  hello,
  type MailDocument,
  note,
  type Writing,
} from './mail-parts.ts'
import { plainName } from './plain-name.ts'
import { holdMail } from './recovery-mail.ts'

export type { Block, MailDocument } from './mail-parts.ts'

type Writers = {
  readonly [Name in MailName]: (model: MailModels[Name], writing: Writing) => MailDocument
}

export const WRITERS: Writers = {
  'verify-email': (model, writing) => namingApp('verifyEmail', model, writing),
  'sign-in-code': (model, writing) => namingApp('signInCode', model, writing),
  'reset-password': (model, writing) => codeMail('resetPassword', model, writing),
  'change-email': (model, writing) => codeMail('changeEmail', model, writing),
  'change-password': (model, writing) => codeMail('changePassword', model, writing),
  'prove-identity': (model, writing) => codeMail('proveIdentity', model, writing),
  'recover-account': (model, writing) => codeMail('recoverAccount', model, writing),
  'recovery-hold': holdMail,
  'prove-address': (model, writing) => codeMail('proveAddress', model, writing),
  'already-registered': (
    { name, origin, signInLink, regainLink, isReset },
    { translator, brand },
  ) => {
    const { t } = translator
    const ofPassword = t(`mail.alreadyRegistered.${signInLink ? 'reset' : 'mustReset'}`)
    return {
      ...heading('alreadyRegistered', translator, brand),
      blocks: [
        hello(name, translator),
        { kind: 'text', text: t('mail.alreadyRegistered.text') },
        ...(signInLink ? [button('alreadyRegistered', signInLink, translator)] : []),
        {
          kind: 'link',
          label: isReset ? ofPassword : t('mail.signInOtherwise.regain'),
          href: regainLink,
        },
        ...facts(origin, translator),
        note(t('mail.alreadyRegistered.notYou'), translator),
      ],
    }
  },
  'sign-in-otherwise': (model, writing) =>
    stateMail('signInOtherwise', model, writing, {
      kind: 'link',
      label: writing.translator.t('mail.signInOtherwise.regain'),
      href: model.regainLink,
    }),
  'no-account': (model, writing) =>
    stateMail(
      'noAccount',
      model,
      writing,
      button('noAccount', model.signUpLink, writing.translator),
    ),
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
        button('changeEmailNotice', undoLink, translator),
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
        button('notice', reportLink, translator),
      ],
    }
  },
  'account-deletion': (model, writing) => keepMail('accountDeletion', model, writing),
  'keep-account': (model, writing) => keepMail('keepAccount', model, writing),
  'sign-in-elsewhere': (model, writing) => namingProvider('signInElsewhere', model, writing),
  'provider-removed': (model, writing) => namingProvider('providerRemoved', model, writing),
  invitation: ({ name, link, expiresAt, client }, { translator, brand }) => {
    const { t, date } = translator
    const app = client ? plainName(client) : ''
    const params = { brand, client: app, date: date(expiresAt) }
    return {
      ...heading('invitation', translator, brand),
      blocks: [
        hello(name, translator),
        { kind: 'text', text: t(`mail.invitation.${app ? 'textClient' : 'text'}`, params) },
        button('invitation', link, translator),
        { kind: 'text', text: t('mail.invitation.until', params) },
        note(t('mail.invitation.notYou'), translator),
      ],
    }
  },
  'account-created': accountCreatedMail,
  'account-closed': (model, writing) => stateMail('accountClosed', model, writing),
}

/** A code to go on to an app with, if it was asked for on the way to one. */
function namingApp(
  mail: 'verifyEmail' | 'signInCode',
  model: MailModels['sign-in-code'],
  writing: Writing,
): MailDocument {
  const client = model.client ? plainName(model.client) : ''
  const text = client ? writing.translator.t(`mail.${mail}.textClient`, { client }) : undefined
  return codeMail(mail, model, writing, text)
}

/** How it is with the account of an address, and what can be done about it. */
function stateMail(
  mail: 'signInOtherwise' | 'noAccount' | 'accountClosed',
  { name, origin }: MailModels['account-closed'],
  { translator, brand }: Writing,
  ...todo: readonly Block[]
): MailDocument {
  const { t } = translator
  return {
    ...heading(mail, translator, brand),
    blocks: [
      hello(name, translator),
      { kind: 'text', text: t(`mail.${mail}.text`, { brand }) },
      ...todo,
      ...facts(origin, translator),
      note(t(`mail.${mail}.notYou`), translator),
    ],
  }
}

/** Of an account that will be erased, with the way to keep it. */
function keepMail(
  mail: 'accountDeletion' | 'keepAccount',
  { name, origin, undoLink, deletesAt }: MailModels['keep-account'],
  { translator, brand }: Writing,
): MailDocument {
  const { t, date } = translator
  const params = { date: date(deletesAt) }
  return {
    ...heading(mail, translator, brand, params),
    blocks: [
      hello(name, translator),
      { kind: 'text', text: t(`mail.${mail}.text`, params) },
      button(mail, undoLink, translator),
      ...facts(origin, translator),
      note(t(`mail.${mail}.notYou`), translator),
    ],
  }
}

function namingProvider(
  key: 'signInElsewhere' | 'providerRemoved',
  { name, origin, provider, signInLink }: MailModels['sign-in-elsewhere'],
  { translator, brand }: Writing,
): MailDocument {
  const { t } = translator
  const params = { brand, provider: plainName(provider) }
  return {
    ...heading(key, translator, brand, params),
    blocks: [
      hello(name, translator),
      { kind: 'text', text: t(`mail.${key}.text`, params) },
      button(key, signInLink, translator),
      ...facts(origin, translator),
      note(t(`mail.${key}.notYou`), translator),
    ],
  }
}
