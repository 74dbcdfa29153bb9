export type Cbor =
  | number
  | string
  | boolean
  | Uint8Array
  | readonly Cbor[]
  | ReadonlyMap<Cbor, Cbor>

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5 } as const

/** CBOR in its shortest form (RFC 8949 4.2), as far as authenticators write it. */
export function cbor(value: Cbor): Buffer {
  if (typeof value === 'boolean') return Buffer.of(value ? 0xf5 : 0xf4)
  if (typeof value === 'number')
    return value < 0 ? head(MAJOR.negative, -1 - value) : head(MAJOR.unsigned, value)
  if (typeof value === 'string') return counted(MAJOR.text, Buffer.from(value))
  if (value instanceof Uint8Array) return counted(MAJOR.bytes, value)
  if (value instanceof Map) {
    const pairs = [...(value as ReadonlyMap<Cbor, Cbor>)].flatMap(([key, of]) => [
      cbor(key),
      cbor(of),
    ])
    return Buffer.concat([head(MAJOR.map, value.size), ...pairs])
  }
  const items = value as readonly Cbor[]
  return Buffer.concat([head(MAJOR.array, items.length), ...items.map(cbor)])
}

function counted(major: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([head(major, bytes.length), bytes])
}

/** The type of an item and its number, as long as it must be. */
function head(major: number, number: number): Buffer {
  const type = major << 5
  if (number < 24) return Buffer.of(type | number)
  if (number < 0x1_00) return Buffer.of(type | 24, number)
  const wide = Buffer.alloc(number < 0x1_00_00 ? 3 : 5)
  wide[0] = type | (wide.length === 3 ? 25 : 26)
  if (wide.length === 3) wide.writeUInt16BE(number, 1)
  else wide.writeUInt32BE(number, 1)
  return wide
}
