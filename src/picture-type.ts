export type PictureType = 'image/png' | 'image/jpeg' | 'image/webp'

/** What it is by its first bytes, whatever its name or sender says. */
export function pictureTypeOf(content: Buffer): PictureType | undefined {
  const begins = (mark: string, at = 0): boolean =>
    content.subarray(at, at + mark.length).equals(Buffer.from(mark, 'latin1'))
  if (begins('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (begins('\xff\xd8\xff')) return 'image/jpeg'
  if (begins('RIFF') && begins('WEBP', 8)) return 'image/webp'
  return undefined
}
