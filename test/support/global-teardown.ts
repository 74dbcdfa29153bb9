import { run } from './global-setup.ts'

export default async function teardown(): Promise<void> {
  await run.stop?.()
}
