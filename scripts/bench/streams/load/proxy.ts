import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'
import { Agent, request } from 'undici'

// The least that can stand between a provider and clients: whoever asks gets the provider's own events, as they come. No user, no
// token, nothing kept. Run as a process of its own.
const { PROVIDER_URL = '' } = process.env
const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
const body = JSON.stringify({
  model: 'fake',
  messages: [{ role: 'user', content: 'Go on and on.' }],
  stream: true,
  stream_options: { include_usage: true },
})
const headers = { 'content-type': 'application/json' }

const server = createServer((incoming, response) => {
  incoming.resume()
  request(`${PROVIDER_URL}/v1/chat/completions`, { method: 'POST', headers, body, dispatcher }).then(
    (answer) => {
      response.writeHead(answer.statusCode, { 'content-type': 'text/event-stream' })
      pipeline(answer.body, response, () => undefined)
    },
    (error: Error) => response.destroy(error),
  )
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`ready: http://127.0.0.1:${port}/\n`)
})
