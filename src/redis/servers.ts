import type { Cluster, Redis } from 'ioredis'

/** The servers that hold keys: one, or each master of a Cluster. */
export interface Servers {
  /** Of the server that has this key now. */
  nameFor(key: string): string
  /** None when it has left the Cluster. */
  named(name: string): Redis | undefined
  all(): readonly Redis[]
}

export function serversOf(client: Redis | Cluster, slotOf: (key: string) => number): Servers {
  if (!('nodes' in client)) return { nameFor: () => '', named: () => client, all: () => [client] }
  return {
    nameFor: (key) => client.slots[slotOf(key)]?.[0] ?? '',
    // Names are those of `Cluster.slots`.
    named: (name) => client.nodes().find(({ options: { host, port } }) => `${host}:${port}` === name),
    all: () => client.nodes('master'),
  }
}
