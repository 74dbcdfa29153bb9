import type { TokenPurpose } from '../../entities/verification-token.ts'

/** Whose failed tries are counted under which name. */
export const passwordSubject = (email: string): string => `password:${email}`

/** In a browser that the account knows, by the digest of its cookie (RL-03). */
export const deviceSubject = (digest: Uint8Array): string =>
  `device:${Buffer.from(digest).toString('hex')}`

export const otpSubject = (accountId: string): string => `otp:${accountId}`

/** Codes of one purpose that were mailed to an address. */
export const codeSubject = (purpose: TokenPurpose, address: string): string =>
  `code:${purpose}:${address}`

/** Mailed codes of sign-ins; `asker`: an address, or one of the devices of its account. */
export const signInCodeSubject = (asker: string): string => `sign-in-code:${asker}`
