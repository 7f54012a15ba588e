// What a script of a page can try; each resolves with what the page got to see.
globalThis.page = {
  async read(url, options) {
    try {
      const response = await fetch(url, options)
      const requestId = response.headers.get('x-request-id')
      return { type: response.type, status: response.status, requestId, body: await response.text() }
    } catch (error) {
      return { error: String(error) }
    }
  },

  submitForm(url, type, json) {
    const form = document.createElement('form')
    Object.assign(form, { action: url, method: 'post', enctype: type })
    // Name and value around the `=` that a form puts between them make up valid JSON.
    const name = json.replace(/}$/, ',"x":"')
    form.append(Object.assign(document.createElement('input'), { name, value: '"}' }))
    document.body.append(form)
    form.submit()
  },

  openSocket(url) {
    return outcome((loaded, refused) => {
      const socket = new WebSocket(url)
      socket.onopen = loaded
      socket.onerror = refused
    })
  },

  load(tag, url) {
    return outcome((loaded, refused) => {
      const element = document.createElement(tag)
      Object.assign(element, { onload: loaded, onerror: refused, src: url })
      document.body.append(element)
    })
  },

  listen(url) {
    return outcome((loaded, refused) => {
      const events = new EventSource(url)
      events.onopen = loaded
      events.onerror = () => {
        events.close()
        refused()
      }
    })
  },

  /** A sandboxed frame has the origin `null`. */
  readFromFrame(url, options) {
    return new Promise((resolve) => {
      window.onmessage = ({ data }) => resolve(data)
      const call = `fetch(${JSON.stringify(url)}, ${JSON.stringify(options)})`
      const frame = document.createElement('iframe')
      frame.setAttribute('sandbox', 'allow-scripts')
      const tell = `${call}.then(() => 'got it', () => 'refused').then((end) => parent.postMessage(end, '*'))`
      // Cut in two, or it would end the script this is part of.
      frame.srcdoc = ['<script>', tell, '<', '/script>'].join('')
      document.body.append(frame)
    })
  },

  beacon: (url, body) => navigator.sendBeacon(url, body),
}

function outcome(start) {
  return new Promise((resolve) =>
    start(
      () => resolve('got it'),
      () => resolve('refused'),
    ),
  )
}
