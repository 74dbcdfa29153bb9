/** A device may skip the second step for so long. */
export interface TrustOffer {
  readonly days: number
  readonly isChosen: boolean
}

export interface TrustedItem {
  readonly id: string
  readonly userAgent?: string | undefined
  readonly until: Date
}

export interface SessionItem {
  readonly id: string
  readonly userAgent?: string | undefined
  readonly ip?: string | undefined
  readonly door: 'pages' | 'api'
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly isCurrent: boolean
}
