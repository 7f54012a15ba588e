import { MODELS } from '../fake-upstream/models.ts'
import { bodyRefusal } from '../fake-upstream/refusals.ts'

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'ultra']

/** `true` if the ChatGPT backend takes this body, whatever its model; else what it answers. */
export function acceptedBy(body: { readonly model: string }): true | object | string {
  const [entry] = MODELS
  if (entry === undefined) throw new Error('There is no model to go by')
  const levels = EFFORTS.map((effort) => ({ effort, description: '' }))
  const model = { ...entry, slug: body.model, minimal_client_version: '0.0.0', supported_reasoning_levels: levels }
  return bodyRefusal(JSON.parse(JSON.stringify(body)), { version: '1.0.0' }, [model])?.body ?? true
}
