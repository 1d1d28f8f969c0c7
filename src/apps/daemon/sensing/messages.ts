/**
 * What the daemon's thread and that of sensing say to each other. Messages of one direction arrive in their order, so whoever is introduced first is known
 * first.
 */
import type { Bound, NameQuestion, Registration } from '../../../backends/linux/sensor.ts'
import type { LogFields, LogLevel } from '../../../base/log.ts'
import type { Detection, Subject } from '../../../detect/detector.ts'
import type { Testimony } from '../../../engine/witness.ts'
import type { ActivityHead, Sample } from '../../../model/activity.ts'

export type Mode = 'off' | 'audit' | 'enforce'

/** What the sensor is told to watch and to forbid, the same for all instances. */
export interface SensorSettings {
  readonly droppedBinaries: Mode
  readonly connections: Mode
  readonly listeners: Mode
  readonly scripts: Mode
  /** Opening one of these, or what is below, is an event. */
  readonly sensitivePaths: readonly string[]
  /** Opening one of these to write is. */
  readonly writePaths: readonly string[]
}

/** Rule files, with what they hold: the thread reads no disk for them. */
export interface RuleFile {
  readonly path: string
  readonly text: string
}

export interface RuleSettings {
  /** Dayfly's own rules. */
  readonly dayfly: boolean
  readonly files: readonly RuleFile[]
}

/** What the thread is started with. */
export interface SensingOptions {
  readonly stateDir: string
  /** Path of the sensor's program; undefined: there is none, because of `absence`, and only samples are kept. */
  readonly sensor: string | undefined
  readonly absence: string
  readonly settings: SensorSettings
  /** undefined: nobody has said yet. */
  readonly rules: RuleSettings | undefined
  /** Its time stamp is moved on each second while the sensor sees: what the next daemon knows of how long nobody did. */
  readonly seenFile: string
}

/** An instance and what must never be written down of it. */
export interface Introduction {
  readonly subject: Subject
  readonly secrets: readonly string[]
}

export type ToSensing =
  /** Answered by `introduced`. */
  | { readonly type: 'introduce'; readonly introduction: Introduction }
  /** Answered by `registered`, unless it is released before. `blindSince`: wall ms, since when nobody sees what it does. */
  | { readonly type: 'register'; readonly registration: Registration; readonly blindSince: number | undefined }
  /** It starts although nobody has said that it is seen. */
  | { readonly type: 'unseen'; readonly cookie: number }
  | { readonly type: 'bind'; readonly bound: Bound }
  | { readonly type: 'sample'; readonly sample: Sample; readonly last: boolean }
  | { readonly type: 'asked'; readonly question: NameQuestion }
  /** Answered by `released`. `unasked`: questions for names that were not told, because there were too many. */
  | { readonly type: 'release'; readonly cookie: number | undefined; readonly instance: string | undefined; readonly unasked: number }
  /** Answered by `settled`. Of an environment whatever there is of it, also what an earlier daemon has kept. */
  | { readonly type: 'settle'; readonly environment: string }
  /** Answered by `cut`. Its record is closed: nothing of it is kept after this head, now or later. */
  | { readonly type: 'cut'; readonly environment: string; readonly head: ActivityHead }
  | { readonly type: 'purge'; readonly environment: string }
  /** Makes room on the disk: of these, which have ended, the oldest first. */
  | { readonly type: 'prune'; readonly ended: readonly string[] }
  | { readonly type: 'settings'; readonly settings: SensorSettings }
  | { readonly type: 'rules'; readonly rules: RuleSettings }
  /** Writes what there is, and ends the thread. */
  | { readonly type: 'close' }

/** Of whom a detection is, and what it says. */
export interface Detected {
  readonly subject: Subject
  readonly detection: Detection
}

/** How the sensor is, for people and for who demands it. */
export interface SensorHealth {
  readonly state: 'starting' | 'attached' | 'down' | 'absent'
  /** Why it is not attached. */
  readonly reason: string | undefined
  /** Probes that this kernel does not have. */
  readonly missing: readonly string[]
  /** Since the daemon's start. */
  readonly restarts: number
  readonly emitted: number
  readonly dropped: number
  /** Events that were let go because nobody said in time whose they are. */
  readonly unowned: number
  /** Events that could not be judged. */
  readonly faults: number
  /** Why the rule files as they are now are not in force. */
  readonly ruleFault: string | undefined
  readonly rules: number
}

export type FromSensing =
  | { readonly type: 'ready' }
  /** `reason`: why the kernel does not stamp what happens in it. */
  | { readonly type: 'registered'; readonly cookie: number; readonly reason: string | undefined }
  /** `reason`: why nothing of it can be kept or judged. */
  | { readonly type: 'introduced'; readonly environment: string; readonly instance: string; readonly reason: string | undefined }
  /** All that was seen of it is told. `testimony`: what the record is to say of it at the end. */
  | {
      readonly type: 'released'
      readonly cookie: number | undefined
      readonly instance: string | undefined
      readonly environment: string | undefined
      readonly testimony: readonly Testimony[]
    }
  /** `reason`: why it could not be done. */
  | { readonly type: 'cut'; readonly environment: string; readonly reason: string | undefined }
  /** `left`: so many more that are not told, because there were too many at once. */
  | { readonly type: 'detections'; readonly detections: readonly Detected[]; readonly left: number }
  | { readonly type: 'testimony'; readonly environment: string; readonly testimony: readonly Testimony[] }
  | { readonly type: 'settled'; readonly environment: string; readonly testimony: readonly Testimony[] }
  | { readonly type: 'health'; readonly health: SensorHealth }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string; readonly fields: LogFields }
