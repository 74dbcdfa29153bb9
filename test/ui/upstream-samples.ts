import type { PageModels, ProviderButton } from '../../src/views/views.ts'

const form = (action: string) => ({ action, csrf: 'csrf-token' })

const button = (name: string): ProviderButton => ({
  name,
  action: `/interaction/abc/upstream/${name.toLowerCase()}`,
})

export const FEW = ['Google', 'GitHub'].map(button)
export const MANY = ['Google', 'GitHub', 'Microsoft', 'Apple', 'Acme', 'GitLab'].map(button)

const skip = form('/interaction/abc/connect/skip')
export const UPSTREAM_NOTICES = {
  cancelled: { kind: 'cancelled', provider: 'Google' },
  unavailable: { kind: 'unavailable', provider: 'Google' },
  invalid: { kind: 'invalid', provider: 'Google' },
  off: { kind: 'off', provider: '' },
  notHere: { kind: 'notHere', provider: 'Acme' },
  refused: { kind: 'refused', provider: 'Google' },
  closed: { kind: 'closed', provider: 'Google' },
  notInvited: { kind: 'notInvited', provider: 'Google' },
  taken: { kind: 'taken', provider: 'Google' },
  again: { kind: 'again', provider: 'Google' },
  connect: { kind: 'connect', provider: 'Google', skip },
} as const

const step = (path: string) => ({
  ...form(`/interaction/abc/${path}`),
  leave: form('/interaction/abc/leave'),
})
const arrival = {
  ...step('arrival'),
  provider: 'GitHub',
  otherWayHref: '/interaction/abc/login',
  trap: { shown: 'signed' },
}
const connect = {
  ...step('connect'),
  provider: 'Google',
  person: { name: 'Ada Lovelace', email: 'ada@example.org' },
  identity: 'ada.lovelace@gmail.example',
}
const identity = {
  id: '6b1e6a55-0d5c-4f0b-8a43-2b8f4f6f2c09',
  provider: 'Google',
  shown: 'ada.lovelace@gmail.example',
  linkedAt: new Date(Date.now() - 90 * 86_400_000),
  lastUsedAt: new Date(Date.now() - 7_200_000),
  isSuspended: false,
}

type Area = Pick<PageModels['account/connections'], 'person' | 'signOut'>

export const UPSTREAM_PAGES = {
  'interaction/arrival': {
    address: { ...arrival, asks: 'email', typed: '' },
    name: { ...arrival, asks: 'name', typed: '', email: 'ada@example.org' },
    terms: {
      ...arrival,
      asks: 'name',
      typed: 'Ada Lovelace',
      email: 'ada@example.org',
      terms: { version: '2026-11', url: 'https://example.org/terms', isTicked: true },
    },
    wrong: {
      ...arrival,
      asks: 'email',
      typed: 'ada',
      problems: { code: 'invalid_input', fields: { email: 'invalid_email' } },
    },
  },
  'interaction/connect': { plain: connect, bare: { ...connect, identity: undefined } },
  'pages/app-sign-in': {
    plain: {
      ...form('/upstream/acme/app/abc/arrival'),
      person: { name: '', email: 'ada@example.org' },
      destination: { kind: 'scheme', host: 'org.example.plants:' },
    },
  },
} as const

export const connectionsPages = (area: Area) => {
  const page = { ...area, csrf: 'csrf-token', removeAction: '/account/connections/remove' }
  return {
    empty: { ...page, identities: [], providers: FEW },
    some: {
      ...page,
      identities: [
        identity,
        { ...identity, id: 'x', provider: 'GitHub', lastUsedAt: undefined, isSuspended: true },
      ],
      providers: MANY.slice(2),
      notice: 'identity_linked',
    },
    last: { ...page, identities: [identity], providers: [], problems: { code: 'last_way_in' } },
  } as const
}
