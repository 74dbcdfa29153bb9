import { ACR, ACR_VALUES, isMultiFactor, resistsPhishing } from '../accounts/factors/levels.ts'
import type { RequiredLevel } from '../config/sign-in-rules.ts'
import { claimsRequest } from './claims/request.ts'
import { param } from './param.ts'

type Params = Readonly<Record<string, unknown>> | undefined

const STRONG: readonly string[] = [ACR.multiFactor, ACR.phishingResistant]

/**
 * The classes of which a sign-in must be one (OIDC Core 5.5.1.1), if the request demands any. To
 * ask for several is a wish, unless it is called essential; to ask for two factors or more and
 * nothing less is a step-up (TF-10).
 */
export function demandedAcr(params: Params): readonly string[] | undefined {
  const { acr } = claimsRequest(params).id_token
  const named = [...(acr?.values ?? []), ...(acr?.value === undefined ? [] : [acr.value])].map(
    String,
  )
  const demands = [
    acr?.essential === true ? named : onlyStrong(named),
    onlyStrong(askedValues(params)),
  ].filter((classes) => classes.length > 0)
  return demands.reduce<string[] | undefined>(
    (both, classes) => both?.filter((each) => classes.includes(each)) ?? classes,
    undefined,
  )
}

/** The least that will do. */
export function demandedLevel(params: Params): RequiredLevel {
  const known = demandedAcr(params)?.filter((each) => ACR_VALUES.includes(each)) ?? []
  if (known.length === 0 || onlyStrong(known).length === 0) return '1fa'
  return known.includes(ACR.multiFactor) ? '2fa' : 'phr'
}

/** What a sign-in is by its `amr`: one that resists phishing is one of two factors, too. */
export function classesOf(amr: readonly string[]): readonly [string, ...string[]] {
  if (!isMultiFactor(amr)) return [ACR.singleFactor]
  return resistsPhishing(amr) ? [ACR.multiFactor, ACR.phishingResistant] : [ACR.multiFactor]
}

/** What tokens say: the first class that the app asked for, of those that it is; else how many factors. */
export function issuedAcr(params: Params, held: readonly [string, ...string[]]): string {
  return askedValues(params).find((each) => held.includes(each)) ?? held[0]
}

function askedValues(params: Params): string[] {
  return param(params, 'acr_values').split(' ').filter(Boolean)
}

function onlyStrong(classes: string[]): string[] {
  return classes.every((each) => STRONG.includes(each)) ? classes : []
}
