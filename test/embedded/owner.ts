/**
 * A process that uses the embedded PostgreSQL of a folder until its standard input ends:
 * `node owner.ts <src> <dataDir>`.
 */
const [, , src, dataDir] = process.argv
const { startEmbeddedPostgres } = (await import(
  `${src}/embedded/postgres.ts`
)) as typeof import('../../src/embedded/postgres.ts')
try {
  const server = await startEmbeddedPostgres({ dataDir: dataDir ?? '' })
  process.stdout.write(`${JSON.stringify({ url: server.url, adopted: server.adopted })}\n`)
  process.stdin.resume().on('end', () => void server[Symbol.asyncDispose]())
} catch (error) {
  process.stdout.write(
    `${JSON.stringify({ error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) })}\n`,
  )
}
