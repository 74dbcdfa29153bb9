import { foldCode } from './typed-code.ts'

const STEP_SECONDS = 30

// Loaded with the first code: it takes 17 ms that a start does not have.
const otplib = () => import('otplib/functional')

/** A new TOTP secret (RFC 6238): 160 random bits as 32 characters of base32. */
export async function generateTotpSecret(): Promise<string> {
  const { generateSecret } = await otplib()
  return generateSecret({ length: 20 })
}

/**
 * The URI that authenticator apps read from a QR code: SHA-1, six digits, 30 seconds, which is all
 * that many of them support.
 */
export async function otpauthUri({
  secret,
  account,
  issuer,
}: {
  secret: string
  account: string
  issuer: string
}): Promise<string> {
  const { generateURI } = await otplib()
  return generateURI({ secret, label: account, issuer: inLabel(issuer) })
}

/** A label is `issuer:account`, so neither has a colon: apps cut at the first, however it is escaped. */
function inLabel(issuer: string): string {
  return issuer.replace(/\s*:\s*/g, ' ').trim() || 'Gatehouse'
}

export interface TotpCheck {
  /** Base32. */
  readonly secret: string
  /** As typed. */
  readonly code: string
  /** The last time step that was accepted; only a later one is (TF-03). 0 if none was. */
  readonly afterStep: number
  readonly now?: Date
}

/**
 * The time step that the code belongs to, if it is the current one or the one before (TF-02). The
 * caller must store it with a compare-and-set: two calls at once both get the step.
 */
export async function verifyTotp({
  secret,
  code,
  afterStep,
  now = new Date(),
}: TotpCheck): Promise<number | undefined> {
  const token = foldCode(code)
  const epoch = Math.floor(now.getTime() / 1000)
  // otplib throws when the step lies in the future, which a clock that was set back makes true.
  if (!/^\d{6}$/.test(token) || afterStep >= Math.floor(epoch / STEP_SECONDS)) return undefined
  const { verify } = await otplib()
  const result = await verify({
    secret,
    token,
    epoch,
    period: STEP_SECONDS,
    epochTolerance: [STEP_SECONDS, 0],
    afterTimeStep: afterStep,
  })
  return result.valid && 'timeStep' in result ? result.timeStep : undefined
}
