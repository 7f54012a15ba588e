import type { Model } from '../../models.ts'
import { type Client, PROVIDER, quoted, type Server } from './client.ts'

/** Editors and their plugins. */
export const EDITORS: readonly Client[] = [
  {
    name: 'cline',
    title: 'Cline: settings in the editor, or a command in the terminal',
    render: cline,
  },
  {
    name: 'continue',
    title: 'Continue: ~/.continue/config.yaml',
    render: continueConfig,
  },
  {
    name: 'gptel',
    title: 'gptel in Emacs: ~/.emacs.d/init.el',
    render: gptel,
  },
]

function cline({ baseUrl, key, model, shell }: Server): string {
  const known = [
    model.images !== undefined && `  Supports Images    ${model.images ? 'yes' : 'no'}`,
    model.contextWindow !== undefined && `  Context Window     ${model.contextWindow}`,
    model.maxOutput !== undefined && `  Max Output Tokens  ${model.maxOutput}`,
  ].filter((line) => line !== false)
  return `API Provider         OpenAI Compatible
Base URL             ${baseUrl}
API Key              ${key}
Model ID             ${model.id}
${known.length === 0 ? '' : `\nModel Configuration\n${known.join('\n')}\n`}
In the terminal:
cline auth openai-compatible --baseurl ${shell.word(baseUrl)} --apikey ${shell.word(key)} --modelid ${shell.word(model.id)}
`
}

function continueConfig({ baseUrl, key, models }: Server): string {
  const entry = ({ id, name, images, contextWindow }: Model) => `  - name: ${quoted(name)}
    provider: openai
    model: ${quoted(id)}
    apiBase: ${quoted(baseUrl)}
    apiKey: ${quoted(key)}
    roles: [chat, edit, apply]
${images === undefined ? '' : `    capabilities: [${images ? 'tool_use, image_input' : 'tool_use'}]\n`}${
  contextWindow === undefined ? '' : `    defaultCompletionOptions:\n      contextLength: ${contextWindow}\n`
}`
  return `name: ${PROVIDER}
version: 1.0.0
schema: v1
models:
${models.map(entry).join('')}`
}

function gptel({ baseUrl, key, model, models }: Server): string {
  const { protocol, host } = new URL(baseUrl)
  return `;; gptel shows a streamed answer that breaks off as if it were complete; without :stream t it shows every error.
(require 'gptel)
(setq gptel-model '${model.id}
      gptel-backend
      (gptel-make-openai ${quoted(PROVIDER)}
        :protocol ${quoted(protocol.slice(0, -1))}
        :host ${quoted(host)}
        :key ${quoted(key)}
        :stream t
        :models '(${models.map(gptelModel).join('\n                  ')})))
`
}

/** gptel sends a picture only to a model that is said to take its kind. */
function gptelModel({ id, images }: Model): string {
  if (images !== true) return id
  const kinds = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'].map(quoted).join(' ')
  return `(${id} :capabilities (media) :mime-types (${kinds}))`
}
