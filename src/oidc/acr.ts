import { ACR, ACR_VALUES } from '../accounts/factors/levels.ts'
import { claimsRequest } from './claims/request.ts'
import { param } from './param.ts'

type Params = Readonly<Record<string, unknown>> | undefined

/**
 * The classes of which a sign-in must be one (OIDC Core 5.5.1.1), if the request demands any. To
 * ask for several is a wish, unless it is called essential; to ask for two factors and nothing else
 * is a step-up (TF-10).
 */
export function demandedAcr(params: Params): readonly string[] | undefined {
  const { acr } = claimsRequest(params).id_token
  const named = [...(acr?.values ?? []), ...(acr?.value === undefined ? [] : [acr.value])].map(
    String,
  )
  const demands = [
    acr?.essential === true ? named : onlyTwoFactors(named),
    onlyTwoFactors(param(params, 'acr_values').split(' ').filter(Boolean)),
  ].filter((classes) => classes.length > 0)
  return demands.reduce<string[] | undefined>(
    (both, classes) => both?.filter((each) => classes.includes(each)) ?? classes,
    undefined,
  )
}

/** Whether nothing but two factors will do. */
export function demandsTwoFactors(params: Params): boolean {
  const known = demandedAcr(params)?.filter((each) => ACR_VALUES.includes(each)) ?? []
  return known.length > 0 && onlyTwoFactors(known).length > 0
}

function onlyTwoFactors(classes: string[]): string[] {
  return classes.every((each) => each === ACR.multiFactor) ? classes : []
}
