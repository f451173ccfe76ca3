const $ = (id) => document.getElementById(id)
const form = $('form')
const text = $('text')
const shownNotes = new Map()
let cutOff = false

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  $('add').disabled = true
  say('Storing …')
  try {
    const note = await add(text.value)
    text.value = ''
    say(`Note ${note.id} is stored.`)
    await refresh()
  } catch (error) {
    say(error.message, true)
  } finally {
    $('add').disabled = false
  }
})

text.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit()
})

whoami()
poll()
setInterval(() => {
  if (!document.hidden) poll()
}, 5000)

/** The key makes another try safe: however often it arrives, one note comes of it. */
async function add(content) {
  const key = randomKey()
  for (let tries = 1; ; tries++) {
    try {
      return await call('/api/notes', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ text: content }),
      })
    } catch (error) {
      if (!error.passing || tries === 4) throw error
      await new Promise((resolve) => setTimeout(resolve, 300 * tries))
    }
  }
}

async function poll() {
  try {
    await refresh()
    if (cutOff) say('')
    cutOff = false
  } catch (error) {
    cutOff = true
    say(error.message, true)
  }
}

async function refresh() {
  draw(await call('/api/notes'))
}

async function remove(id) {
  try {
    await call(`/api/notes/${id}`, { method: 'DELETE' })
    say(`Note ${id} is gone.`)
    await refresh()
  } catch (error) {
    say(error.message, true)
  }
}

async function whoami() {
  const { release } = await call('/api/whoami').catch(() => ({ release: '–' }))
  $('release').textContent = release
}

async function call(path, options) {
  let response
  try {
    response = await fetch(path, options)
  } catch {
    throw Object.assign(new Error('The service cannot be reached.'), { passing: true })
  }
  $('web-host').textContent = response.headers.get('x-web-host') ?? '–'
  $('app-host').textContent = response.headers.get('x-served-by') ?? '–'
  const body = response.status === 204 ? undefined : await response.json().catch(() => undefined)
  if (response.ok) return body
  throw Object.assign(new Error(body?.error?.message ?? `The service answered ${response.status}.`), {
    passing: response.status >= 502,
  })
}

/** Keeps the elements of notes that stay, so that focus and selection do too. */
function draw(notes) {
  const list = $('notes')
  const wanted = new Set(notes.map((note) => note.id))
  for (const [id, element] of shownNotes) {
    if (wanted.has(id)) continue
    element.remove()
    shownNotes.delete(id)
  }
  notes.forEach((note, i) => {
    const element = shownNotes.get(note.id) ?? made(note)
    shownNotes.set(note.id, element)
    if (list.children[i] !== element) list.insertBefore(element, list.children[i] ?? null)
  })
  $('empty').hidden = notes.length > 0
}

function made(note) {
  const element = $('note').content.firstElementChild.cloneNode(true)
  const time = element.querySelector('time')
  element.querySelector('.text').textContent = note.text
  time.dateTime = note.createdAt
  time.textContent = new Date(note.createdAt).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })
  element.querySelector('.chip').textContent = `stored by ${note.host}`
  const button = element.querySelector('button')
  button.setAttribute('aria-label', `Delete note ${note.id}`)
  button.addEventListener('click', () => remove(note.id))
  return element
}

function say(message, bad = false) {
  $('status').textContent = message
  $('status').classList.toggle('bad', bad)
}

/** crypto.randomUUID is missing on pages without TLS. */
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
