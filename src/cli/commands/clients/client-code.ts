import type { Model } from '../../models.ts'
import { type Client, PROVIDER, quoted, type Server } from './client.ts'

/** What a program or a shell needs. */
export const CODE_CLIENTS: readonly Client[] = [
  {
    name: 'env',
    title: 'Environment variables, for anything built on an OpenAI SDK',
    render: ({ baseUrl, key, shell }) => `${shell.variable('OPENAI_BASE_URL', baseUrl)}
${shell.variable('OPENAI_API_KEY', key)}
# The name that older programs use:
${shell.variable('OPENAI_API_BASE', baseUrl)}
`,
  },
  {
    name: 'openai-python',
    title: 'OpenAI SDK for Python',
    render: ({ baseUrl, key, model }) => `from openai import OpenAI

client = OpenAI(base_url=${quoted(baseUrl)}, api_key=${quoted(key)})
stream = client.chat.completions.create(
    model=${quoted(model.id)},
    messages=[{"role": "user", "content": "Say hello."}],
    stream=True,
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
`,
  },
  {
    name: 'openai-node',
    title: 'OpenAI SDK for Node',
    render: ({ baseUrl, key, model }) => `import OpenAI from 'openai'

const client = new OpenAI({ baseURL: ${quoted(baseUrl)}, apiKey: ${quoted(key)} })
const stream = await client.chat.completions.create({
  model: ${quoted(model.id)},
  messages: [{ role: 'user', content: 'Say hello.' }],
  stream: true,
})
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '')
`,
  },
  {
    name: 'ai-sdk',
    title: 'AI SDK: packages ai and @ai-sdk/openai',
    render: ({ baseUrl, key, model }) => `import { createOpenAI } from '@ai-sdk/openai'
import { streamText } from 'ai'

const openai = createOpenAI({ baseURL: ${quoted(baseUrl)}, apiKey: ${quoted(key)} })
// Not openai.chat(…): with it @ai-sdk/openai 4 stops GPT-5.6 from thinking as soon as there are tools.
const { textStream } = streamText({
  model: openai.responses(${quoted(model.id)}),
  // For a conversation, add a promptCacheKey unique to it: upstream's cache depends on it.
  providerOptions: { openai: { store: false } },
  prompt: 'Say hello.',
})
for await (const text of textStream) process.stdout.write(text)
`,
  },
  {
    name: 'langchain',
    title: 'LangChain: langchain-openai (Python), @langchain/openai (Node)',
    render: ({ baseUrl, key, model }) => `Python: pip install langchain-openai

from langchain_openai import ChatOpenAI

llm = ChatOpenAI(model=${quoted(model.id)}, base_url=${quoted(baseUrl)}, api_key=${quoted(key)})

Node: npm install @langchain/openai

import { ChatOpenAI } from '@langchain/openai'

const llm = new ChatOpenAI({
  model: ${quoted(model.id)},
  apiKey: ${quoted(key)},
  configuration: { baseURL: ${quoted(baseUrl)} },
})
`,
  },
  {
    name: 'copilot',
    title: 'GitHub Copilot CLI, in a shell',
    render: ({ baseUrl, key, model, shell }) => `${shell.variable('COPILOT_PROVIDER_BASE_URL', baseUrl)}
${shell.variable('COPILOT_PROVIDER_API_KEY', key)}
${shell.variable('COPILOT_PROVIDER_WIRE_API', 'responses')}
${shell.variable('COPILOT_MODEL', model.id)}
`,
  },
  {
    name: 'llm',
    title: 'llm, the command-line tool: extra-openai-models.yaml, beside the file that `llm logs path` prints',
    render: llm,
  },
]

function llm({ baseUrl, key, needsKey, model, models, shell }: Server): string {
  const entry = ({ id, images, reasoning }: Model) => `- model_id: ${quoted(`${PROVIDER}/${id}`)}
  model_name: ${quoted(id)}
  api_base: ${quoted(baseUrl)}
${needsKey ? `  api_key_name: ${PROVIDER}\n` : ''}  responses: true
  supports_schema: true
  supports_tools: true
${reasoning === true ? '  reasoning: true\n' : ''}${images === true ? '  vision: true\n' : ''}`
  return `${needsKey ? `# Once: llm keys set ${PROVIDER} --value ${shell.word(key)}\n` : ''}# Then: llm -m ${shell.word(`${PROVIDER}/${model.id}`)} 'Say hello.'
${models.map(entry).join('')}`
}
