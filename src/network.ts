/**
 * What is counted by: an IPv4 address, or the /64 that one IPv6 customer holds; of an address in
 * its canonical form.
 */
export function networkOf(address: string): string {
  return address.includes(':') ? `${address.split(':').slice(0, 4).join(':')}::/64` : address
}
