import { z } from 'zod'

const SignUp = z.looseObject({
  userId: z.string(),
  tokenId: z.string(),
  email: z.string(),
  /** A passkey is made in place of a password, once the address is proven. */
  wantsPasskey: z.boolean().optional(),
  isSuspected: z.boolean().optional(),
})

const Mfa = z.looseObject({
  challenge: z.string(),
  /** Whose; the version before kept only the address. */
  accountId: z.string().optional(),
  email: z.string(),
  isRemembered: z.boolean(),
})

/** A page that waits for a code to sign in with. */
const EmailCode = z.looseObject({
  tokenId: z.string(),
  email: z.string(),
  isRemembered: z.boolean(),
  /** The account that the wish to be remembered counts for, if for no other. */
  rememberedFor: z.string().optional(),
})

/** What was shown of an account, as it is kept until the person has said what for. */
const Proof = z.looseObject({
  accountId: z.string(),
  credentialVersion: z.number(),
  isRemembered: z.boolean(),
  wantsTrust: z.boolean().optional(),
  methods: z.array(z.string()).readonly(),
  /** What a trusted provider said of the sign-in there. */
  told: z.array(z.string()).readonly().optional(),
})
export type KeptProof = z.infer<typeof Proof>

/**
 * A first step is proven and a second factor has to be set up before anything else; `isDone` once
 * it is (TF-11).
 */
const Enrol = Proof.extend({
  amr: z.array(z.string()).readonly(),
  /** The version before kept their `amr` only. */
  methods: Proof.shape.methods.optional(),
  isDone: z.boolean(),
})

/**
 * Somebody came by a provider, and is not known by it: what they are asked for next. `connect`:
 * they sign in to the account of the address; `confirm`: they have, and say whether it is connected.
 */
const Arrival = z.looseObject({
  id: z.string(),
  providerId: z.string(),
  stage: z.enum(['address', 'code', 'name', 'connect', 'confirm']),
  /** Canonical. */
  email: z.string().optional(),
  tokenId: z.string().optional(),
  isSuspected: z.boolean().optional(),
  proven: Proof.optional(),
})

/** The sign-in at a provider that a second step follows here. */
const Came = z.looseObject({ providerId: z.string(), sid: z.string().optional() })

/**
 * A sign-in to which a passkey is offered, or which lacks one; `isDone` once it is made, and its
 * recovery codes are shown.
 */
const Offer = Proof.extend({
  isRequired: z.boolean(),
  /** The account is new, and has no way in yet. */
  isFirst: z.boolean().optional(),
  isDone: z.boolean(),
})

/** A part that cannot be read is as good as none: its step begins again. */
const State = z.looseObject({
  signUp: SignUp.optional().catch(undefined),
  mfa: Mfa.optional().catch(undefined),
  emailCode: EmailCode.optional().catch(undefined),
  enrol: Enrol.optional().catch(undefined),
  arrival: Arrival.optional().catch(undefined),
  came: Came.optional().catch(undefined),
  offer: Offer.optional().catch(undefined),
})

/** What our pages keep between two steps of one interaction; never a credential. */
export type InteractionState = z.infer<typeof State>

/** Members of another version come through: either version may serve the next step. */
export function readState(stored: unknown): InteractionState {
  return State.catch({}).parse(stored ?? {})
}

/** What the next step is to find; of what was stored, only the members of another version stay. */
export function nextState(stored: unknown, state: InteractionState): InteractionState {
  const others = Object.entries(readState(stored)).filter(([part]) => !(part in State.shape))
  return { ...Object.fromEntries(others), ...state }
}
