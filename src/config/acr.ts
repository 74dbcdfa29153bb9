import type { RequiredLevel } from './sign-in-words.ts'

/** Authentication context classes, weakest first. The last is of the EAP ACR Values 1.0. */
export const ACR = {
  singleFactor: 'urn:gatehouse:acr:1fa',
  multiFactor: 'urn:gatehouse:acr:2fa',
  phishingResistant: 'phr',
} as const

/** The class of a level, by the word that operators type for it. */
export const ACR_OF: Readonly<Record<RequiredLevel, string>> = {
  '1fa': ACR.singleFactor,
  '2fa': ACR.multiFactor,
  phr: ACR.phishingResistant,
}
