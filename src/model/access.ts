/** One request or connection through the gateway, as an access log has it: a JSON document a line. */
import { z } from 'zod'

export const AccessEntry = z.object({
  time: z.number().describe("When the request's head was there; wall clock, ms."),
  target: z.string().describe('The way in that it took.'),
  environment: z.string(),
  workload: z.string(),
  instance: z.string().optional().describe('Absent when no instance was reached.'),
  client: z.string().describe('IP address.'),
  protocol: z.enum(['HTTP/1.0', 'HTTP/1.1', 'HTTP/2', 'TCP']),
  method: z.string(),
  host: z.string(),
  path: z.string().describe('Without the query, which may hold secrets; at most 2,048 characters.'),
  status: z.int().describe('499 when the client left; 0 of a connection that has none.'),
  bytesIn: z.int(),
  bytesOut: z.int(),
  duration: z.number().describe("ms from the request's head to the answer's end."),
})
export type AccessEntry = z.infer<typeof AccessEntry>
