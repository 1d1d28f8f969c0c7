/**
 * The record of an environment. Types, with what their data holds beside the reason:
 *
 *   environment.creating        name, owner, lease, workloads (kind, image, imageName, runtime of each)
 *   environment.running · ending · ended          cause, from `ending` on
 *   environment.adopted         a restarted daemon took it up
 *   environment.extended        before, after: the ttl deadline, boot ms
 *   environment.updated         changes: subject, name, kind and effect of each
 *   environment.seeding         volumes: filled for a change that is not written yet; void from its `environment.updated` on
 *   environment.expiring        by (`ttl`, `idle`), left (ms), pauses: what will happen is a pause
 *   environment.paused · resumed
 *   environment.removal_failed  code; written once, it is tried again until nothing is left
 *   instance.pending            workload; replica and revision where it is kept running
 *   instance.healthy · unhealthy
 *   instance.created · running  pid; start (`cold`, `prepared`)
 *   instance.exited             the exit status
 *   instance.failed · lost · removed
 *   instance.stopping           grace, ms                instance.signalled  signal
 *   egress.denied               destination, port, protocol (`tcp`, `udp`, `icmp`, `dns`, `other`), count; or destinations and count, of many more
 *   gateway.traffic             workload, requests, failed (5xx), bytesIn, bytesOut: since the one before
 *   gateway.access_log          bytes, lines and sha256 of the access log so far; dropped: entries it lacks since the one before; limit (bytes)
 *   gateway.access_log_full     limit
 *   admission.allowed · denied  workload, policies and inputs (digests), cached, took (ms); denials, warnings, audits: policy, rule, message, field, finding,
 *                               exemption of each, `left` more of them
 *   finding.raised              workload, image, id, severity, package (purl), fixed, exploited, fingerprint: known since it runs; or `left`, of many more
 *   finding.warned              policies, findings (ids): what policy says of these while it runs
 *   environment.isolated        policies, findings, or rule and decision: nothing gets out of it any more
 *   detection.raised            rule, priority, output, fields, tags, source, process (pid, vpid, start, name, exe), event (its type), at (wall ms); exemption;
 *                               measures that follow, and whether they are only audited
 *   detection.repeated          rule, count: the same of that instance, or too much to be written one by one
 *   response.decided            rule, measures, process, detectedAt: written before anything is done
 *   response.taken · failed     action, rule, decision (its sequence), took (ms, since it was decided)
 *   response.withheld           rule, measures, because (`audit`, `limit`)
 *   instance.frozen · thawed    rule and decision: it stands still until a person resumes it
 *   forensics.taken             decision, rule, files (name, bytes, sha256), gaps
 *   exec.started                exec (id), command, user, tty        exec.ended  exec, tty, code when it is known
 *   attach.started · ended
 *   file.read                   path, offset, bytes, sha256 (of what was read), complete: all that was asked for
 *   file.written                path, bytes, sha256
 *   file.made · removed         path (a folder that was made; how many entries went: count)
 *   file.renamed                path, to
 *   file.watched                path, recursive
 *   file.failed                 operation (`write`, `make`, `remove`, `rename`), path, code: a part of it may have happened
 *   sensor.absent               why nobody sees what it does: samples are kept all the same
 *   sensor.blind                runtime, workload: the host's kernel does not see into it
 *   sensor.gap                  from, to (wall ms): meanwhile nobody saw what it did
 *   sensor.totals               emitted, dropped, filtered: numbers by type of event, of the instance; unowned: what came too early or too late to be kept;
 *                               subject: as whom its events were judged (detect/subject.ts)
 *   activity.kept               blocks, entries, hash: of its activity (model/activity.ts) so far. Every 10 s with something new, and before the seal
 *   activity.lost               entries that could not be kept, code
 *   instance.used               what it used from its first sample to its last (model/usage.ts), once, before the seal
 *   record.sealed               count, hash: of the entries before it and of the last of them. Nothing follows
 *
 * An event that had to wait because the disk was full has `happenedAt` (wall ms) in its data. No data holds a secret or a variable's value.
 */
import { z } from 'zod'

export const Actor = z.object({
  /** `user`: somebody asked; `dayfly`: the daemon by itself (a lease, a crash repair); `instance`: the workload ended by itself. */
  kind: z.enum(['user', 'dayfly', 'instance']),
  name: z.string(),
})
export type Actor = z.infer<typeof Actor>
export const dayfly: Actor = { kind: 'dayfly', name: 'dayfly' }

/** One entry of the record, append-only, hash-chained within its environment. */
export const Event = z.object({
  /** Position in the record of its environment, from 1, without gaps. */
  sequence: z.int(),
  /** Position in the whole store: what a follower resumes from. */
  cursor: z.int(),
  environment: z.string(),
  instance: z.string().optional(),
  /** Wall clock, ms. */
  time: z.number(),
  /** e.g. `environment.running`, `instance.exited`, `exec.started`, `record.sealed`. */
  type: z.string(),
  actor: Actor,
  reason: z.string(),
  data: z.record(z.string(), z.json()),
  /** hex SHA-256 of the previous entry's hash and this entry's canonical JSON. */
  hash: z.string(),
})
export type Event = z.infer<typeof Event>
export type NewEvent = Pick<Event, 'environment' | 'instance' | 'type' | 'actor' | 'reason' | 'data'>
