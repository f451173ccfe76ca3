import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { page as pageOf } from '../../bin/page.js'
import { reportHtml } from '../../src/report/html/html.ts'
import { type OpenPage, openChromium, openPage } from './chromium.ts'
import { journalOfRun, type RunShape } from './runs.ts'

const ROOT = `${resolve(import.meta.dirname, '../..')}/`
const AXE = readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8')
const PHONE = { viewport: { width: 360, height: 740 } }
const EIGHT: RunShape = { hosts: 8, steps: 40, failing: [3], lost: [6] }
const HOSTILE = `"'</script><script>document.title='owned'</script><img src=x onerror=alert(1)>&amp;`

describe('the HTML report in a browser', () => {
  let browser: Browser
  let template: string
  const directory = mkdtempSync(join(tmpdir(), 'provision-report-'))

  before(async function () {
    const found = await openChromium()
    if (!found) return this.skip()
    browser = found
    template = await pageOf(ROOT)
  })
  after(async () => {
    rmSync(directory, { recursive: true })
    await browser?.close()
  })

  const pages: Page[] = []
  afterEach(async () => {
    await Promise.all(pages.splice(0).map((page) => page.close()))
  })

  async function show(shape: RunShape = EIGHT, options: BrowserContextOptions = {}): Promise<OpenPage> {
    const path = join(directory, 'report.html')
    writeFileSync(path, reportHtml(template, journalOfRun(shape).text))
    const opened = await openPage(browser, path, options)
    pages.push(opened.page)
    return opened
  }

  const names = (page: Page) => page.locator('.host .name').allTextContents()
  const focused = (page: Page) => page.evaluate('document.activeElement?.parentElement?.dataset.host')

  it('is small, logs nothing to the console and makes no requests', async () => {
    expect(template.length).to.be.lessThan(60_000)
    const { page, messages, requests } = await show()
    await page.locator('details.host > summary').nth(3).click()
    await page.locator('details.change > summary').nth(1).click()
    expect(messages).to.deep.equal([])
    expect(requests).to.have.length(1)
  })

  it('shows the result, the problems and the changes', async () => {
    const { page } = await show()
    expect(await page.locator('#result').textContent()).to.equal('1 host failed, 1 host unreachable')
    expect(await page.locator('.problem .message').allTextContents()).to.deep.equal([
      'web4: service nginx failed: exit status 1',
      'db7 cannot be reached: nothing listens at port 22',
    ])
    expect(await page.locator('.change').first().textContent()).to.equal(
      '✓package nginx: install nginx 1.22base › lblb1, lb2',
    )
    await page.locator('.change > summary').nth(1).click()
    expect(await page.locator('.change .diff .plus').first().textContent()).to.equal('+  listen 8080;\n')
  })

  it('draws the tiers with the outcome of each host, and has a text version', async () => {
    const { page } = await show()
    expect(await page.locator('#picture .host.failed').getAttribute('data-host')).to.equal('web4')
    expect(await page.locator('#picture .host.unreachable').getAttribute('data-host')).to.equal('db7')
    expect(await page.locator('#picture-text').textContent()).to.match(
      /^ {2}lb +lb1, lb2 +443 from anywhere\n {2}web +web3, web4 +8080 from lb\n/,
    )
  })

  it('draws the activities of each host on a time axis', async () => {
    const { page } = await show()
    const bars = await page
      .locator('[data-host=web4] .track i')
      .evaluateAll((found) => found.map((bar) => bar.className))
    expect(bars).to.deep.equal(['login', 'read', 'apply', 'failed'])
    const lefts = await page
      .locator('[data-host=web4] .track i')
      .evaluateAll((found) => found.map((bar) => bar.getBoundingClientRect().left))
    expect(lefts).to.deep.equal([...lefts].sort((a, b) => a - b))
    expect(await page.locator('[data-host=lb1] .track .wait').getAttribute('title')).to.include(
      'waiting for http 200 of lb1',
    )
  })

  it('filters hosts by text, tier and outcome', async () => {
    const { page } = await show()
    await page.getByLabel('Search').fill('web')
    expect(await names(page))
      .to.include.members(['web3', 'web4'])
      .and.not.to.include('db8')
    await page.getByLabel('Search').fill('')
    await page.getByLabel('Tier', { exact: true }).selectOption('db')
    expect(await names(page)).to.deep.equal(['db7', 'db8'])
    expect(await page.getByRole('status').textContent()).to.equal('2 of 8 hosts')
    await page.getByRole('button', { name: 'unreachable' }).click()
    expect(await names(page)).to.deep.equal(['db7'])
    expect(await page.locator('#change-list').textContent()).to.equal('No changes to show.')
  })

  it('can be used with the keyboard', async () => {
    const { page } = await show()
    await page.keyboard.press('/')
    await page.keyboard.type('lb')
    expect((await names(page)).slice(0, 2)).to.deep.equal(['lb1', 'lb2'])
    await page.keyboard.press('Escape')
    expect(await names(page)).to.have.length(8)
    await page.locator('[data-host=lb1] > summary').focus()
    await page.keyboard.press('ArrowDown')
    expect(await focused(page)).to.equal('lb2')
    await page.keyboard.press('Enter')
    expect(await page.locator('[data-host=lb2] .host-body').textContent()).to.include('= 37 steps ok')
    await page.keyboard.press('ArrowUp')
    expect(await focused(page)).to.equal('lb1')
  })

  for (const colorScheme of ['light', 'dark'] as const)
    it(`has no accessibility problem that axe finds, in ${colorScheme} colours with all rows open`, async () => {
      const { page } = await show(EIGHT, { colorScheme })
      await page.locator('summary').evaluateAll((all) => {
        for (const one of all) one.click()
      })
      await page.locator('li.ok summary').first().click()
      // The content security policy of the page allows no other script, except one of the debugger.
      await page.evaluate(AXE)
      const faults = await page.evaluate<readonly string[]>(
        "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ').slice(0, 300)}`))",
      )
      expect(faults).to.deep.equal([])
    })

  it('fits on a phone without horizontal scrolling', async () => {
    const { page } = await show(EIGHT, PHONE)
    await page.locator('summary').evaluateAll((all) => {
      for (const one of all) one.click()
    })
    expect(await page.evaluate('document.documentElement.scrollWidth')).to.equal(360)
  })

  it('prints every host, problem, change and diff', async () => {
    const { page } = await show({ hosts: 100, steps: 10, failing: [20] })
    expect(await names(page)).to.have.length.lessThan(100)
    await page.emulateMedia({ media: 'print' })
    await page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(await names(page)).to.have.length(100)
    expect(await page.locator('.host-body:visible').count()).to.equal(100)
    expect(await page.locator('.change .diff:visible').count()).to.equal(4)
    expect(await page.locator('#filters:visible').count()).to.equal(0)
    expect((await page.pdf()).subarray(0, 5).toString()).to.equal('%PDF-')
    await page.evaluate("dispatchEvent(new Event('afterprint'))")
    await page.emulateMedia({ media: 'screen' })
    expect(await page.locator('.host-body:visible').count()).to.equal(0)
  })

  it('shows names with markup as text', async () => {
    const { page, messages, requests } = await show({ hosts: 4, steps: 5, failing: [1], word: HOSTILE })
    expect(await page.title()).to.include(HOSTILE)
    expect(await page.locator('.host .name').first().textContent()).to.equal(`lb${HOSTILE}1`)
    expect(await page.locator('img').count()).to.equal(0)
    expect(await page.locator('#picture .host').count()).to.equal(4)
    expect(messages).to.deep.equal([])
    expect(requests).to.have.length(1)
  })

  it('shows the worst of 500 hosts first and the others on demand', async () => {
    const { page, messages } = await show({ hosts: 500, steps: 100, failing: [150, 151, 300], lost: [400] })
    const shown = await names(page)
    expect(shown).to.have.length.lessThan(60).and.include.members(['web151', 'web152', 'app301', 'db401'])
    await page.getByRole('button', { name: 'Show 113 more hosts' }).first().click()
    expect(await names(page)).to.have.length(shown.length + 113)
    await page.getByRole('button', { name: 'failed' }).click()
    expect(await names(page)).to.deep.equal(['web151', 'web152', 'app301'])
    expect(messages).to.deep.equal([])
  })
})
