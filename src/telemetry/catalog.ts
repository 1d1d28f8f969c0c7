/**
 * Every metric that there is. Labels have few values by construction: causes, states, steps, statuses. None has a name that users give, but `rule`, which is cut
 * off at `mostRules`. docs/telemetry.md describes each; a test holds the two together.
 */

interface Common {
  readonly name: string
  /** One sentence. */
  readonly help: string
  readonly labels: readonly string[]
}
export type MetricDefinition = Common &
  ({ readonly type: 'counter' | 'gauge' } | { readonly type: 'histogram' /** Upper bounds, seconds. */; readonly buckets: readonly number[] })

/** Rules that are counted by name; what others found is counted as `other`. */
export const mostRules = 200

const startBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]
/** Those by which the gateway counts (src/gateway/gateway.ts), in seconds. */
const gatewayBuckets = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60]

export const catalog = [
  { name: 'dayfly_build_info', type: 'gauge', labels: ['version', 'node', 'backend'], help: 'Always 1; its labels say what runs.' },
  { name: 'dayfly_environments', type: 'gauge', labels: ['state'], help: 'Environments that have not ended.' },
  { name: 'dayfly_instances', type: 'gauge', labels: ['state'], help: 'Instances that are there.' },
  { name: 'dayfly_environments_created_total', type: 'counter', labels: [], help: 'Environments that were created.' },
  { name: 'dayfly_environments_ended_total', type: 'counter', labels: ['cause'], help: 'Environments that have ended, by cause.' },
  { name: 'dayfly_instances_ended_total', type: 'counter', labels: ['outcome'], help: 'Instances that have ended.' },
  { name: 'dayfly_starts_total', type: 'counter', labels: ['start', 'outcome'], help: 'Starts of instances: from a prepared container or cold.' },
  {
    ...{ name: 'dayfly_start_duration_seconds', type: 'histogram', labels: ['start'], buckets: startBuckets },
    help: 'From the request, or the decision to start an instance, until it runs.',
  },
  {
    ...{ name: 'dayfly_start_step_duration_seconds', type: 'histogram', labels: ['step', 'start'], buckets: startBuckets },
    help: 'How long one step of a start took.',
  },
  { name: 'dayfly_admissions_total', type: 'counter', labels: ['verdict', 'cached'], help: 'Decisions about starts.' },
  { name: 'dayfly_findings_total', type: 'counter', labels: ['severity'], help: 'Vulnerabilities that became known of what runs.' },
  { name: 'dayfly_detections_total', type: 'counter', labels: ['rule', 'priority'], help: 'What instances were detected to do.' },
  { name: 'dayfly_responses_total', type: 'counter', labels: ['action', 'outcome'], help: 'What was done about detections.' },
  { name: 'dayfly_egress_denied_total', type: 'counter', labels: ['protocol'], help: 'Packets and questions that closed egress has stopped.' },
  { name: 'dayfly_lease_extensions_total', type: 'counter', labels: [], help: 'Leases that somebody extended.' },
  { name: 'dayfly_lease_warnings_total', type: 'counter', labels: ['by'], help: 'Leases that were about to end.' },
  { name: 'dayfly_lease_remaining_seconds', type: 'gauge', labels: [], help: 'Until the next ttl of an environment is over.' },
  { name: 'dayfly_sensor_attached', type: 'gauge', labels: [], help: '1 while what instances do is seen.' },
  { name: 'dayfly_sensor_events_total', type: 'counter', labels: ['outcome'], help: 'Events of the kernel, and what became of them.' },
  { name: 'dayfly_sensor_restarts_total', type: 'counter', labels: [], help: 'How often the sensor was started again.' },
  { name: 'dayfly_activity_entries_total', type: 'counter', labels: ['outcome'], help: 'Entries of what instances did.' },
  { name: 'dayfly_gateway_requests_total', type: 'counter', labels: ['code'], help: 'Requests and connections through the gateway that are over.' },
  {
    ...{ name: 'dayfly_gateway_request_duration_seconds', type: 'histogram', labels: [], buckets: gatewayBuckets },
    help: 'From the head of a request to the end of its answer.',
  },
  { name: 'dayfly_gateway_bytes_total', type: 'counter', labels: ['direction'], help: 'Bytes of bodies through the gateway.' },
  { name: 'dayfly_gateway_in_flight', type: 'gauge', labels: [], help: 'Requests that instances are answering.' },
  { name: 'dayfly_gateway_waiting', type: 'gauge', labels: [], help: 'Requests that wait for an instance.' },
  { name: 'dayfly_pool_cells', type: 'gauge', labels: [], help: 'Cells that wait for a container.' },
  { name: 'dayfly_pool_prepared', type: 'gauge', labels: [], help: 'Containers that wait for a start of their shape.' },
  { name: 'dayfly_leaks', type: 'gauge', labels: [], help: 'Objects on this host that no living instance explains, when it was looked last.' },
  { name: 'dayfly_leaks_checked_timestamp_seconds', type: 'gauge', labels: [], help: 'When that was.' },
  { name: 'dayfly_notify_delivered_total', type: 'counter', labels: [], help: 'Notices that arrived.' },
  { name: 'dayfly_notify_lost_total', type: 'counter', labels: [], help: 'Notices that were given up, or left out.' },
  { name: 'dayfly_notify_waiting', type: 'gauge', labels: [], help: 'Notices that wait for their target.' },
  { name: 'dayfly_telemetry_items_total', type: 'counter', labels: ['signal', 'outcome'], help: 'Spans, metrics and log records for a collector.' },
  { name: 'dayfly_api_requests_total', type: 'counter', labels: ['method', 'route', 'code'], help: 'Requests to the API.' },
  {
    ...{ name: 'dayfly_api_request_duration_seconds', type: 'histogram', labels: ['method'], buckets: requestBuckets },
    help: 'Until the answer was there; answers that go on for as long as somebody listens are not among them.',
  },
  { name: 'process_resident_memory_bytes', type: 'gauge', labels: [], help: 'Memory of the daemon.' },
  { name: 'process_cpu_seconds_total', type: 'counter', labels: [], help: 'Processor time of the daemon.' },
  { name: 'process_start_time_seconds', type: 'gauge', labels: [], help: 'When the daemon was started.' },
  { name: 'process_open_fds', type: 'gauge', labels: [], help: 'Files that the daemon has open.' },
  {
    ...{ name: 'dayfly_event_loop_delay_seconds', type: 'gauge', labels: ['statistic'] },
    help: 'How late the main thread was, since the last time this was asked.',
  },
  { name: 'dayfly_event_loop_busy_seconds_total', type: 'counter', labels: [], help: 'How long the main thread has worked.' },
] as const satisfies readonly MetricDefinition[]

export type MetricName = (typeof catalog)[number]['name']
