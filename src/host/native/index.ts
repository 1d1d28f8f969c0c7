export { NativeError } from './channel.ts'
export { type CompiledSeccomp, type Helper, type HelperOptions, type ProcessIdentity, type SeccompSource, spawnHelper } from './helper.ts'
export {
  connectMonitor,
  type MonitorConnection,
  type MonitorCreate,
  type MonitorEvent,
  type MonitorNetwork,
  type MonitorOverlay,
  type MonitorStatus,
} from './monitor.ts'
export { type NativeSession, type Output, signalNumber } from './session.ts'
