import { Redis } from 'ioredis'
import type { Target } from './target.ts'

const SESSIONS = 2000

/** G15: bytes of Redis for one signed-in person: session and its index, grant, refresh token. */
export async function bytesPerSession(target: Target, redisUrl: string): Promise<number> {
  const redis = new Redis(redisUrl)
  try {
    const before = await used(redis)
    await target.mint('session', SESSIONS)
    return ((await used(redis)) - before) / SESSIONS
  } finally {
    redis.disconnect()
  }
}

async function used(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1])
}
