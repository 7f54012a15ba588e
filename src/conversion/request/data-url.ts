const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const BASE64_HEAD = /^data:[^,]*;base64,/i

/**
 * Repairs the usual faults of the base64 in a data URL: line breaks, the URL-safe alphabet, missing padding,
 * percent-encoding (case 44). Anything else, and what cannot be repaired, stays unchanged.
 */
export function repairDataUrl(url: string): string {
  const head = BASE64_HEAD.exec(url)?.[0]
  if (head === undefined) return url
  const payload = url.slice(head.length)
  if (payload.length % 4 === 0 && BASE64.test(payload)) return url
  const plain = withoutPadding(
    payload
      .replace(/%([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
      .replace(/\s+/g, '')
      .replaceAll('-', '+')
      .replaceAll('_', '/'),
  )
  if (plain.length % 4 === 1 || !BASE64.test(plain)) return url
  return head + plain.padEnd(Math.ceil(plain.length / 4) * 4, '=')
}

/** Without a regular expression, which would take quadratic time for long runs of `=` within the text. */
function withoutPadding(base64: string): string {
  let end = base64.length
  while (base64[end - 1] === '=') end--
  return base64.slice(0, end)
}

/** The media type of a data URL in lower case; undefined for other URLs and for one without a type. */
export function mediaType(url: string): string | undefined {
  return /^data:([\w.+-]+\/[\w.+-]+)/i.exec(url)?.[1]?.toLowerCase()
}
