import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { $ } from 'zx'

const PROGRAM = '/usr/bin/chromium'

/** Starts Debian's Chromium, and installs it first if run by root. Undefined if it is not available, with a message. */
export async function openChromium(): Promise<Browser | undefined> {
  if (!existsSync(PROGRAM) && process.getuid?.() === 0)
    await $({
      quiet: true,
      nothrow: true,
      timeout: '300s',
    })`apt-get install -qq -y --no-install-recommends chromium`
  if (!existsSync(PROGRAM)) {
    console.log('The browser tests are skipped: Chromium is missing. Install it: apt-get install chromium')
    return undefined
  }
  return chromium.launch({ executablePath: PROGRAM, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
}

/** A page with the messages in its console and its requests. */
export interface OpenPage {
  readonly page: Page
  readonly messages: readonly string[]
  readonly requests: readonly string[]
}

export async function openPage(browser: Browser, path: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const page = await browser.newPage(options)
  const messages: string[] = []
  const requests: string[] = []
  page.on('console', (message) => messages.push(message.text()))
  page.on('pageerror', (error) => messages.push(error.message))
  page.on('request', (request) => requests.push(request.url()))
  await page.goto(`file://${path}`)
  await page.waitForSelector('.host')
  return { page, messages, requests }
}
