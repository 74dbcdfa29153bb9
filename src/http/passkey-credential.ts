import { z } from 'zod'
import { AppError } from '../errors.ts'

/** Sizes in characters; what is longer never reaches a parser. */
const MAX = {
  id: 1364,
  clientData: 4096,
  attestation: 16_384,
  authenticator: 2731,
  signature: 10_923,
  handle: 96,
}
const MAX_TRANSPORTS = 32

const base64url = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[\w-]+$/)

const credential = <Response extends z.ZodRawShape>(response: Response) =>
  z.object({
    id: base64url(MAX.id).describe('The id of the credential, in base64url.'),
    rawId: base64url(MAX.id),
    type: z.literal('public-key'),
    response: z.object(response),
  })

/**
 * What `PublicKeyCredential.toJSON()` gives (WebAuthn 5.1). Extensions of browsers send more than
 * the standard names, and less: what is not read here is left out.
 */
export const Assertion = credential({
  clientDataJSON: base64url(MAX.clientData),
  authenticatorData: base64url(MAX.authenticator),
  signature: base64url(MAX.signature),
  userHandle: z.string().max(MAX.handle).nullish(),
})

export const Registration = credential({
  clientDataJSON: base64url(MAX.clientData),
  attestationObject: base64url(MAX.attestation),
  transports: z.array(z.string()).max(MAX_TRANSPORTS).optional(),
}).extend({
  clientExtensionResults: z
    .object({ credProps: z.object({ rk: z.boolean().optional() }).optional() })
    .optional(),
})

/** Of a form, where the credential is one field. Throws `passkey_refused`. */
export function readCredential<Schema extends z.ZodType>(
  schema: Schema,
  field: string,
): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(field))
  } catch (cause) {
    throw new AppError('passkey_refused', { cause })
  }
}
