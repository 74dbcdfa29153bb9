/** Addresses of ours that the operator registers at a provider. */
export function ownAddresses(issuer: string, id: string) {
  const base = `${issuer}/upstream/${id}`
  return {
    redirectUri: `${base}/callback`,
    logoutUri: `${base}/backchannel-logout`,
  }
}
