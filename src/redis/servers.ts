import type { Cluster, Redis } from 'ioredis'

/** The servers that hold keys: one, or each master of a Cluster. */
export interface Servers {
  /** Name of the server that has this key now. */
  nameFor(key: string): string
  nameOf(server: Redis): string
  /** Whether it holds keys: after a failover another does. */
  holdsKeys(name: string): boolean
  /** None while a Cluster's connection to it is being replaced. */
  named(name: string): Redis | undefined
  all(): readonly Redis[]
}

export function serversOf(client: Redis | Cluster, slotOf: (key: string) => number): Servers {
  if (!('nodes' in client))
    return {
      nameFor: () => '',
      nameOf: () => '',
      holdsKeys: () => true,
      named: () => client,
      all: () => [client],
    }
  // As `Cluster.slots` has the names.
  const nameOf = ({ options: { host, port } }: Redis): string => `${host}:${port}`
  return {
    nameFor: (key) => client.slots[slotOf(key)]?.[0] ?? '',
    nameOf,
    holdsKeys: (name) => client.slots.some(([master]) => master === name),
    named: (name) => client.nodes().find((server) => nameOf(server) === name),
    all: () => client.nodes('master'),
  }
}
