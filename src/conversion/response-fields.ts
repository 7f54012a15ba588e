/**
 * The fields that are read of the Response object within an event. The others repeat the request, its instructions and
 * tools: 12 KB as recorded, twice an answer.
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
