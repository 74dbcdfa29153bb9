import { describe, expect, it } from '@jest/globals'
import { chromium } from './chromium.ts'

const PAGE = `<title>t</title><p id="script">off</p><script>document.querySelector('#script').textContent = 'on'</script>`

describe('Chromium', () => {
  const { newPage } = chromium()

  it.each([
    [true, 'on'],
    [false, 'off'],
  ])(
    'starts on a bare machine and runs scripts only when told to (%s)',
    async (javaScriptEnabled, expected) => {
      const page = await newPage({ javaScriptEnabled, viewport: { width: 320, height: 600 } })
      await page.setContent(PAGE)
      expect(await page.textContent('#script')).toBe(expected)
      expect(page.viewportSize()).toEqual({ width: 320, height: 600 })
    },
  )
})
