/** What one does with an environment that lives: let it live longer, freeze it, end it. Each shows its command. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { EnvironmentView } from '../../../api/schemas/environments.ts'
import { end, extend, getWorkloads, pause, queryKeys, resume } from '../api/queries.ts'
import { useMay } from '../api/session.ts'
import { span } from '../format.ts'
import { CliLine } from './cli-line.tsx'
import { Dialog } from './dialog.tsx'
import { Icon } from './icon.tsx'
import { Failure } from './states.tsx'
import { Left } from './time.tsx'

const choices = [15 * 60_000, 60 * 60_000, 4 * 3_600_000, 24 * 3_600_000] as const

interface AskProps {
  readonly environment: EnvironmentView
  readonly onClose: () => void
}

/** What has changed is asked for anew, wherever it is shown. */
const useChange = <Input,>(environment: EnvironmentView, work: (input: Input) => Promise<unknown>, onDone: () => void) => {
  const client = useQueryClient()
  return useMutation({
    mutationFn: work,
    onSuccess: async () => {
      onDone()
      await Promise.all([
        client.invalidateQueries({ queryKey: queryKeys.environments }),
        client.invalidateQueries({ queryKey: queryKeys.environment(environment.id) }),
        client.invalidateQueries({ queryKey: queryKeys.workloads(environment.id) }),
      ])
    },
  })
}

const AskExtend = ({ environment, onClose }: AskProps) => {
  const [ttl, setTtl] = useState<number>(choices[1])
  const change = useChange(environment, () => extend(environment.id, ttl), onClose)
  return (
    <Dialog title={`Let ${environment.name} live longer`} onClose={onClose}>
      <form
        className="stack"
        onSubmit={event => {
          event.preventDefault()
          change.mutate(undefined)
        }}
      >
        {environment.expiresAt === null ? null : (
          <p className="soft">
            Now <Left until={environment.expiresAt} /> are left{environment.expiresBy === 'idle' ? ', unless something happens to it' : ''}.
          </p>
        )}
        <fieldset className="choices">
          <legend>From now on</legend>
          {choices.map(choice => (
            <label key={choice} className="check">
              <input type="radio" name="ttl" checked={ttl === choice} onChange={() => setTtl(choice)} />
              {span(choice)}
            </label>
          ))}
        </fieldset>
        <CliLine words={['extend', environment.name, span(ttl)]} />
        {change.isError ? <Failure error={change.error} what="its lease" /> : null}
        <div className="actions">
          <button type="submit" className="primary" disabled={change.isPending}>
            Extend
          </button>
          <button type="button" onClick={onClose}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  )
}

const AskEnd = ({ environment, onClose }: AskProps) => {
  const change = useChange(environment, () => end(environment.id), onClose)
  return (
    <Dialog title={`End ${environment.name}?`} onClose={onClose}>
      <div className="stack">
        <p>Its processes are stopped, and its files, volumes and network are gone. Its record and logs stay until their retention ends.</p>
        <CliLine words={['down', environment.name]} />
        {change.isError ? <Failure error={change.error} what="its end" /> : null}
        <div className="actions">
          <button type="button" className="danger" disabled={change.isPending} onClick={() => change.mutate(undefined)}>
            {change.isPending ? 'Ending…' : 'End it'}
          </button>
          <button type="button" onClick={onClose}>
            Keep it
          </button>
        </div>
      </div>
    </Dialog>
  )
}

const AskPause = ({ environment, paused, onClose }: AskProps & { readonly paused: boolean }) => {
  const change = useChange(environment, () => (paused ? resume(environment.id) : pause(environment.id)), onClose)
  return (
    <Dialog title={paused ? `Let ${environment.name} go on` : `Freeze ${environment.name}?`} onClose={onClose}>
      <div className="stack">
        <p>
          {paused
            ? 'Its processes go on where they stood still.'
            : 'Its processes stand still, in memory. A request through the gateway or an exec wakes it; its lease runs on.'}
        </p>
        <CliLine words={[paused ? 'resume' : 'pause', environment.name]} />
        {change.isError ? <Failure error={change.error} what={paused ? 'its waking' : 'its pause'} /> : null}
        <div className="actions">
          <button type="button" className="primary" disabled={change.isPending} onClick={() => change.mutate(undefined)}>
            {paused ? 'Resume' : 'Pause'}
          </button>
          <button type="button" onClick={onClose}>
            Leave it
          </button>
        </div>
      </div>
    </Dialog>
  )
}

/** Whether its instances are kept running; what runs once has no standing, and cannot be frozen. */
const isKept = ({ workloads }: EnvironmentView): boolean => Object.values(workloads).some(({ deployment }) => deployment !== undefined)

/** How its workloads stand. Asked anew every few seconds while it lives and is on screen. */
export const useWorkloads = (environment: EnvironmentView) =>
  useQuery({
    queryKey: queryKeys.workloads(environment.id),
    queryFn: ({ signal }) => getWorkloads(environment.id, signal),
    refetchInterval: environment.state === 'ended' ? false : 3_000,
    enabled: environment.state !== 'ended' && isKept(environment),
  })

export const EnvironmentActions = ({ environment }: { readonly environment: EnvironmentView }) => {
  const [asked, setAsked] = useState<'extend' | 'pause' | 'end'>()
  const may = useMay()
  const workloads = useWorkloads(environment)
  if (environment.state === 'ended') return null
  const paused = workloads.data?.some(({ instances }) => instances.some(instance => instance.paused)) ?? false
  const close = (): void => setAsked(undefined)
  return (
    <div className="actions">
      {may('POST /v1/environments/:ref/extend') ? (
        <button type="button" onClick={() => setAsked('extend')} disabled={environment.state === 'ending'}>
          <Icon name="extend" />
          Extend
        </button>
      ) : null}
      {isKept(environment) && may('POST /v1/environments/:ref/pause') ? (
        <button type="button" onClick={() => setAsked('pause')} disabled={environment.state !== 'running'}>
          <Icon name={paused ? 'start' : 'pause'} />
          {paused ? 'Resume' : 'Pause'}
        </button>
      ) : null}
      {may('DELETE /v1/environments/:ref') ? (
        <button type="button" className="danger" onClick={() => setAsked('end')} disabled={environment.state === 'ending'}>
          <Icon name="stop" />
          End
        </button>
      ) : null}
      {asked === 'extend' ? <AskExtend environment={environment} onClose={close} /> : null}
      {asked === 'pause' ? <AskPause environment={environment} paused={paused} onClose={close} /> : null}
      {asked === 'end' ? <AskEnd environment={environment} onClose={close} /> : null}
    </div>
  )
}
