import { EMAIL, EXPIRES, NAME } from './examples.ts'

/** Values of the examples of passkeys. The tests replay them with an authenticator of their own. */
export const PASSKEY_ID = '6b1e6a55-0d5c-4f0b-8a43-2b8f4f6f2c06'
export const TOKENS_OF_PASSKEYS = {
  signIn: 'Zk3vQm8RxT2bLw6YpNc0Hd',
  proof: 'Qw7eRt5yUi3oPa1sDf9gHj',
  creation: 'passkey.Lk2jHg4fDs6aPo8iUy0tRe',
}

const RP_ID = 'id.example.org'
const CREDENTIAL_ID = 'bN4xV7zL1kQ9wE3rT6yUiA'
const CHALLENGE = 'pS2dF5gH8jK1lZ4xC7vB0nM3qW6eR9tY2uI5oP8aS1dF4gH7'
const HANDLE = 'PwwfTo9ZTFOdDm8qD296EQ'
const DESCRIPTOR = {
  type: 'public-key',
  id: CREDENTIAL_ID,
  transports: ['internal', 'hybrid'],
} as const

const REQUEST = {
  challenge: CHALLENGE,
  rpId: RP_ID,
  userVerification: 'required' as 'required' | 'preferred',
  timeout: 300_000,
}

export const REQUESTS = {
  signIn: {
    token: TOKENS_OF_PASSKEYS.signIn,
    ...EXPIRES,
    publicKey: { ...REQUEST, allowCredentials: [] },
  },
  proof: {
    token: TOKENS_OF_PASSKEYS.proof,
    ...EXPIRES,
    publicKey: { ...REQUEST, userVerification: 'preferred', allowCredentials: [DESCRIPTOR] },
  },
}

export const CREATION = {
  token: TOKENS_OF_PASSKEYS.creation,
  ...EXPIRES,
  publicKey: {
    challenge: CHALLENGE,
    rp: { id: RP_ID, name: 'Gatehouse' },
    user: { id: HANDLE, name: EMAIL, displayName: NAME },
    pubKeyCredParams: [
      { type: 'public-key', alg: -8 },
      { type: 'public-key', alg: -7 },
      { type: 'public-key', alg: -257 },
    ],
    authenticatorSelection: {
      residentKey: 'required',
      requireResidentKey: true,
      userVerification: 'required',
    },
    attestation: 'none',
    excludeCredentials: [],
    extensions: { credProps: true },
    hints: [],
    timeout: 300_000,
  },
}

const CREDENTIAL = { id: CREDENTIAL_ID, rawId: CREDENTIAL_ID, type: 'public-key' }
const CLIENT_DATA =
  'eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoicFMyZEY1Z0g4aksxbFo0eEM3dkIwbk0zcVc2ZVI5dFkydUk1b1A4YVMxZEY0Z0g3In0'

export const ASSERTION = {
  ...CREDENTIAL,
  response: {
    clientDataJSON: CLIENT_DATA,
    authenticatorData: 'SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MdAAAAAA',
    signature:
      'MEUCIQDk4rYc0u9pV2n7wXb3hT6aKq1sZf8gJm5LxN0vRy2eUwIgT9iP3oA7dQ4cH8jKl1xBz6nMv5wEr0tYuS2fGh3kDa4',
    userHandle: HANDLE,
  },
}

export const REGISTRATION = {
  ...CREDENTIAL,
  response: {
    clientDataJSON: CLIENT_DATA,
    attestationObject:
      'o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVg5SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2NdAAAAAA',
    transports: ['internal', 'hybrid'],
  },
  clientExtensionResults: { credProps: { rk: true } },
}

export const PASSKEY = {
  id: PASSKEY_ID,
  name: 'My phone',
  product: null,
  kind: 'passkey',
  synced: true,
  suspended: false,
  created_at: '2026-03-01T09:45:00.000Z',
  last_used_at: null,
}
