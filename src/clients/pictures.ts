import { sha256 } from '../crypto/token.ts'
import type { EntityManager } from '../database/database.ts'
import { Picture } from '../entities/index.ts'
import { type Fetch, RequestRefused } from '../outgoing/guarded-fetch.ts'
import { type PictureType, pictureTypeOf } from '../picture-type.ts'

export interface PictureBytes {
  readonly type: PictureType
  readonly content: Buffer
}

/** Why there is no picture, as the end of a sentence about it; `isFinal`: asking again helps nothing. */
export interface NoPicture {
  readonly fault: string
  readonly isFinal: boolean
}

/** Believes neither the name nor the content type: what is drawn is what its first bytes say. */
export async function fetchPicture(
  fetch: Fetch,
  uri: string,
  signal?: AbortSignal,
): Promise<PictureBytes | NoPicture> {
  let response: Response
  try {
    response = await fetch(uri, signal ? { signal } : {})
  } catch (error) {
    const isFinal = error instanceof RequestRefused
    const why = isFinal ? error.message : 'its server does not answer'
    return { fault: `cannot be fetched: ${why}`, isFinal }
  }
  const { status } = response
  if (status !== 200) {
    const why = status >= 300 && status < 400 ? ', and no redirect is followed' : ''
    return {
      fault: `cannot be fetched: its server answers ${status}${why}`,
      isFinal: status < 500 && status !== 429,
    }
  }
  const content = Buffer.from(await response.arrayBuffer())
  const type = pictureTypeOf(content)
  return type ? { type, content } : { fault: 'is no PNG, JPEG or WebP picture', isFinal: true }
}

/**
 * Stores it in the caller's transaction, once however many want it. The row stays locked until then,
 * and its new time keeps retention from it.
 */
export async function keepPicture(tx: EntityManager, picture: PictureBytes): Promise<Picture> {
  const { type, content } = picture
  const row = { digest: sha256(content).toString('hex'), type, content, usedAt: new Date() }
  return tx.upsert(Picture, row, {
    onConflictFields: ['digest'],
    onConflictAction: 'merge',
    onConflictMergeFields: ['usedAt'],
  })
}
