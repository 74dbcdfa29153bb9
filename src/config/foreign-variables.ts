/** `pg` and the ORM would read them behind the settings. */
const BEHIND_SETTINGS = /^(?:MIKRO_ORM_|PG[A-Z]+$)/
/** What Kubernetes tells a pod of each Service, here of one called `gatehouse` or `gatehouse-...`. */
const SERVICE =
  /^GATEHOUSE_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)_(?:PROTO|PORT|ADDR))$/
const SERVICE_URL = /^GATEHOUSE_(?:\w+_)?PORT(?:_\d+_(?:TCP|UDP|SCTP))?$/

/** Takes away what a library would read although it is no setting of ours: the settings decide alone. */
export function forgetForeign(environment: Record<string, string | undefined>): void {
  for (const name of Object.keys(environment))
    if (BEHIND_SETTINGS.test(name)) delete environment[name]
}

/**
 * Whether Kubernetes has set it. `GATEHOUSE_PORT` is its too as long as it is a URL: a number was
 * meant for us.
 */
export function isOfService(name: string, value = ''): boolean {
  return SERVICE.test(name) || (SERVICE_URL.test(name) && /^(?:tcp|udp|sctp):\/\//.test(value))
}
