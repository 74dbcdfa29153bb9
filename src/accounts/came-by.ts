/** By which provider somebody came, and its name for the sign-in there. */
export type CameBy = Readonly<{ providerId: string; sid?: string | undefined }>
