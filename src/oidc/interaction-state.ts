import { z } from 'zod'

const SignUp = z.looseObject({ userId: z.string(), tokenId: z.string(), email: z.string() })

const Mfa = z.looseObject({
  challenge: z.string(),
  /** Whose; the version before kept only the address. */
  accountId: z.string().optional(),
  email: z.string(),
  isRemembered: z.boolean(),
})

/**
 * A first step is proven and a second factor has to be set up before anything else; `isDone` once
 * it is (TF-11).
 */
const Enrol = z.looseObject({
  accountId: z.string(),
  amr: z.array(z.string()).readonly(),
  /** The methods that were shown; the version before kept their `amr` only. */
  methods: z.array(z.string()).readonly().optional(),
  isRemembered: z.boolean(),
  credentialVersion: z.number(),
  isDone: z.boolean(),
})

/** A part that cannot be read is as good as none: its step begins again. */
const State = z.looseObject({
  signUp: SignUp.optional().catch(undefined),
  mfa: Mfa.optional().catch(undefined),
  enrol: Enrol.optional().catch(undefined),
})

/** What our pages keep between two steps of one interaction; never a credential. */
export type InteractionState = z.infer<typeof State>

/** Members of another version come through: either version may serve the next step. */
export function readState(stored: unknown): InteractionState {
  return State.catch({}).parse(stored ?? {})
}

/** What the next step is to find; of what was stored, only the members of another version stay. */
export function nextState(stored: unknown, state: InteractionState): InteractionState {
  const { signUp: _signUp, mfa: _mfa, enrol: _enrol, ...others } = readState(stored)
  return { ...others, ...state }
}
