// biome-ignore-all lint/performance/noBarrelFile: a package has one entry.
/** Dayfly from a program: environments, sandboxes and commands that end by themselves and leave nothing but their record. */
export type { CommandHandle, CommandOptions, CommandResult, Commands } from './commands.ts'
export type { ComposeOptions } from './compose.ts'
export type { ConnectionOptions } from './connection.ts'
export type { Service, UpOptions } from './environment.ts'
export { Environment } from './environment.ts'
export {
  CommandExitError,
  ConflictError,
  DayflyError,
  DeniedError,
  ExhaustedError,
  InvalidError,
  NotFoundError,
  TimeoutError,
  UnreachableError,
  WrongStateError,
} from './errors.ts'
export type { EventOptions } from './events.ts'
export type { FileOptions, Files, ReadOptions, WatchHandle, WriteOptions } from './files.ts'
export type { Pty, PtyHandle, PtyOptions } from './pty.ts'
export type { RunOptions, RunResult } from './run.ts'
export { run } from './run.ts'
export type { SandboxInfo, SandboxOptions } from './sandbox.ts'
export { Sandbox } from './sandbox.ts'
export type { ChangeInfo, EgressRule, EnvironmentInfo, FileChange, FileEntry, InstanceInfo, Limits, RecordEvent, WorkloadInfo } from './schemas.ts'
export { NotReadyError } from './waiting.ts'
