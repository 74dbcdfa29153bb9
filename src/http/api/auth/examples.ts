/** Values of the examples: one person's story, told in the order of the operations. The tests replay it. */
export const TERMS = {
  version: '2026-11',
  url: 'https://example.org/terms',
  token:
    'szq4Hn1k0W7c2fVd9sLQmE5tGyXbR8uJoPiA3hNeTwKs.c0Lw3n9vQ4xZ7mK1pB8dG5tRyH2sJ6fWuEaXo0iTqNlVbCk4',
  accepted:
    'szq4Hn1k0W7c2fVd9sLQmE5tGyXbR8uJoPiA3hNeTwKs.Zk9tPm2xV6bQ1nR7cL4wGs8dHy3jF5uKaXe0oTiBqWlN4vCf',
}
export const NAME = 'Ada Lovelace'
export const EMAIL = 'ada@example.org'
export const NEW_EMAIL = 'ada@example.net'
export const PASSWORD = 'plum ladder seven harbour'
export const NEW_PASSWORD = 'ember quilt nine lantern'
export const RESET_PASSWORD = 'copper meadow eleven violin'
export const CODE = '482913'
export const INVITED = 'grace@example.org'
export const INVITATION = 'k7Qm2xVb9TtRwYp4LsZc8NdHf1GjUa6EoXi3BvMn5Kq'
export const EXPIRES = { expires_in: 600 }
export const CLIENT_ID = 'plant-diary'
export const IDS = {
  user: '3f0c1f4e-8f59-4c53-9d0e-6f2a0f6f7a11',
  signUp: '6b1e6a55-0d5c-4f0b-8a43-2b8f4f6f2c01',
  resent: '6b1e6a55-0d5c-4f0b-8a43-2b8f4f6f2c02',
  changeEmail: '6b1e6a55-0d5c-4f0b-8a43-2b8f4f6f2c03',
  changePassword: '6b1e6a55-0d5c-4f0b-8a43-2b8f4f6f2c04',
  reset: '6b1e6a55-0d5c-4f0b-8a43-2b8f4f6f2c05',
  signInCode: '6b1e6a55-0d5c-4f0b-8a43-2b8f4f6f2c06',
  session: 'wPFKfQCf2jeLDWd8fjzwDkJj5CtXZPOpGhYh9Y6TATv',
  otherSession: 'kq0Wm3pCkB7h2ZJf5Vw1d8sQyTz4RxNnL6uEoGaH9bM',
} as const
export const STEP_TOKENS = {
  signIn: 'u5mZ3Tq9Xv1cRk7yLw0bNs8dHf2jPg4aEo6iUtYrQxM',
  enable: 'h8nB2Vc6Xz4mLk0jGf1dSa3pOi5uYt7rEw9qQxWvTzN',
  disable: 'r4tY6uI8oP1aS3dF5gH7jK9lZ2xC0vB4nM6qW8eR1tU',
} as const
const LIFETIME = { token_type: 'Bearer', expires_in: 600, scope: 'account' }
export const TOKENS = {
  access_token: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzY29wZSI6ImFjY291bnQifQ.c2lnbmF0dXJl',
  refresh_token: 'ntz4C__3N2-IHXhen2bdKpK1MZ4Y4ixepuLFxteshV2',
  ...LIFETIME,
}
export const NEXT_TOKENS = {
  access_token: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzY29wZSI6ImFjY291bnQifQ.bmV4dA',
  refresh_token: '38RCFHUEFleiMn_Z-dh8C9n73HDNN-8C0i7njTFS3qa',
  ...LIFETIME,
}

export const USER = {
  id: IDS.user,
  name: NAME,
  email: EMAIL,
  email_verified: true,
  phone_number: null,
  image_url: null,
  status: 'active',
  mfa_enabled: false,
  created_at: '2026-03-01T09:30:00.000Z',
  updated_at: '2026-03-01T09:30:00.000Z',
}

export const SESSION = {
  id: IDS.session,
  ip: '203.0.113.7',
  user_agent: 'PlantDiary/2.1 (iPhone; iOS 19.2)',
  created_at: '2026-03-01T09:31:00.000Z',
  last_seen_at: '2026-03-01T09:31:00.000Z',
  expires_at: '2026-03-15T09:31:00.000Z',
  current: true,
}

export const OTHER_SESSION = {
  ...SESSION,
  id: IDS.otherSession,
  user_agent: 'Mozilla/5.0 (X11; Linux x86_64)',
  current: false,
}

export const APP = {
  client_id: CLIENT_ID,
  name: 'Plant Diary',
  scopes: ['openid', 'profile'],
  resource_scopes: { 'https://api.example.org/plants': ['plants:read'] },
  claims: [],
  granted_at: '2026-03-01T09:40:00.000Z',
  updated_at: '2026-03-01T09:40:00.000Z',
}

export const GROUP = { name: 'editors', since: '2026-03-01T10:00:00.000Z' }

export const PROVIDER = { id: 'acme', name: 'Acme', kind: 'oidc' }

/** The verifier and challenge of RFC 7636 B. */
export const UPSTREAM = {
  url: 'https://id.example.org/upstream/acme/app/AZqL4mJ0c2Vy',
  redirectUri: 'https://plants.example.org/signed-in',
  challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  code: '6b1e6a55-0d5c-4f0b-8a43-2b8f4f6f2c10.q2Zt8Lr5Xv3cRk7yNw0bMs9dHf4jPg6aEo1iUuYrSxT',
} as const

export const IDENTITY = {
  id: '6b1e6a55-0d5c-4f0b-8a43-2b8f4f6f2c09',
  provider: 'acme',
  provider_name: 'Acme',
  issuer: 'https://login.acme.example',
  subject: '24400320',
  email: 'ada@acme.example',
  name: NAME,
  linked_at: '2026-03-01T10:30:00.000Z',
  last_used_at: null,
  suspended: false,
}

export const EVENT = {
  at: '2026-03-01T09:31:00.000Z',
  type: 'sign_in',
  outcome: 'success',
  client_id: 'gatehouse-api',
  session_id: IDS.session,
  ip: '203.0.113.7',
  user_agent: 'PlantDiary/2.1 (iPhone; iOS 19.2)',
}

export const ENROLMENT = {
  token: STEP_TOKENS.enable,
  secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
  otpauth_uri:
    'otpauth://totp/Gatehouse:ada%40example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Gatehouse',
  qr_svg: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 47 47">…</svg>',
  expires_in: 600,
}

export const RECOVERY_CODES = [
  '7K3M-Q0ZR-1XWB-9T4E',
  'P2VD-6H8N-J5CS-0YFG',
  'R9TA-3W1K-X7ME-4BQZ',
  'H6CJ-8S2V-N0PD-5GYF',
  'W4XB-1R7T-K9QE-3ZMA',
  'D5FN-0G6H-C2JS-8PVY',
  'T1EK-9B3M-Z7QW-6XRA',
  'Y8GP-4J0C-S5VD-2NHF',
  'M3QZ-7A1W-E9RT-0KXB',
  'F6HV-2N8D-P4YS-5CJG',
]
