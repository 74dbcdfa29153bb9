import type { Page } from 'playwright-core'

/**
 * Does what leads to another page, and waits for that page. A click waits for a form and a link by
 * itself; it knows nothing of a script that sends its form later, as that of a passkey does.
 */
export async function arrive(page: Page, act: () => Promise<unknown>): Promise<void> {
  await Promise.all([page.waitForEvent('framenavigated'), act()])
  await page.waitForLoadState()
}
