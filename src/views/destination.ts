/** Who answers where the person is sent, and what is shown of it: a host, or `scheme:`. */
export interface Destination {
  readonly kind: 'https' | 'loopback' | 'private' | 'scheme'
  readonly host: string
}
