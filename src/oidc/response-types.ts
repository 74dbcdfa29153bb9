import { errors, type Provider } from 'oidc-provider'

type Allowed = (mode: unknown, type: unknown, ...more: unknown[]) => boolean

/**
 * AZ-04: what is wrong with another response type is the type, and not the response mode that it
 * would be answered by, which the library looks at first.
 */
export function refuseTypesFirst(provider: Provider): void {
  const { prototype } = provider.Client as unknown as {
    prototype: { responseModeAllowed: Allowed }
  }
  const allowed = prototype.responseModeAllowed
  prototype.responseModeAllowed = function (this: unknown, mode, type, ...more) {
    const types = typeof type === 'string' ? type.split(' ') : []
    if (types.some((each) => each !== 'code')) throw new errors.UnsupportedResponseType()
    return allowed.call(this, mode, type, ...more)
  }
}
