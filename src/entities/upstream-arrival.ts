import { defineEntity, p } from '@mikro-orm/core'
import { Provider } from './provider.ts'

/** What a provider has said of a person, waiting for what they decide. */
const UpstreamArrivalSchema = defineEntity({
  name: 'UpstreamArrival',
  tableName: 'upstream_arrival',
  properties: {
    id: p.uuid().primary(),
    provider: () => p.manyToOne(Provider).deleteRule('cascade'),
    /** As of the flow: nobody else finds it. */
    binding: p.blob().hidden(),
    /** Who arrived, or why nobody did; sealed for the id. */
    box: p.blob().hidden(),
    expiresAt: p.datetime().index(),
  },
})

export class UpstreamArrival extends UpstreamArrivalSchema.class {}
UpstreamArrivalSchema.setClass(UpstreamArrival)
