/**
 * The fields of the Response object in an event that are read anywhere here. The others repeat the request with its
 * instructions and tools: 12 KB as recorded, twice per answer.
 */
const READ: ReadonlySet<string> = new Set([
  'id',
  'created_at',
  'model',
  'service_tier',
  'status',
  'error',
  'incomplete_details',
  'usage',
  'output',
])

export function isReadOfResponse(field: string): boolean {
  return READ.has(field)
}
