import { defineEntity, p } from '@mikro-orm/core'
import type { PictureType } from '../picture-type.ts'

/** Our copy of a picture from elsewhere, under what it holds: the same one is stored once. */
const PictureSchema = defineEntity({
  name: 'Picture',
  tableName: 'picture',
  properties: {
    /** SHA-256 in hexadecimal. */
    digest: p.string().length(64).primary(),
    type: p.string().length(16).$type<PictureType>(),
    content: p.blob(),
    /** When it was last fetched for a client; what no client has is deleted a day after. */
    usedAt: p.datetime(),
  },
})

export class Picture extends PictureSchema.class {}
PictureSchema.setClass(Picture)
