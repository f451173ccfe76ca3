import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { $ } from 'zx'

const PROGRAM = '/usr/bin/chromium'

/** Debian's Chromium, installed where root may; undefined where it cannot be had, which is said in one line. */
export async function openChromium(): Promise<Browser | undefined> {
  if (!existsSync(PROGRAM) && process.getuid?.() === 0)
    await $({
      quiet: true,
      nothrow: true,
      timeout: '300s',
    })`apt-get install -qq -y --no-install-recommends chromium`
  if (!existsSync(PROGRAM)) {
    console.log('The browser tests were left out: there is no Chromium. Install it: apt-get install chromium')
    return undefined
  }
  return chromium.launch({ executablePath: PROGRAM, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
}

/** A page, and what it has said and asked for since it was opened. */
export interface Watched {
  readonly page: Page
  readonly said: readonly string[]
  readonly asked: readonly string[]
}

export async function opened(
  browser: Browser,
  path: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const page = await browser.newPage(options)
  const said: string[] = []
  const asked: string[] = []
  page.on('console', (message) => said.push(message.text()))
  page.on('pageerror', (error) => said.push(error.message))
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(`file://${path}`)
  await page.waitForSelector('.host')
  return { page, said, asked }
}
