/** What the host has, what of it is in use, and what Dayfly has promised to instances. */
import type { HostView } from '../../../../api/schemas/host.ts'
import { Card, Facts } from '../../components/page.tsx'
import { Ago } from '../../components/time.tsx'
import { bytes, number, plural } from '../../format.ts'

interface MeterProps {
  readonly title: string
  /** Words for what the bar shows. */
  readonly value: string
  /** 0–1, of what there is. */
  readonly share: number
  /** A second mark on the same scale; it may be beyond the end. */
  readonly promised?: number
  readonly note?: string
}

const toneOf = (share: number): string => (share > 0.9 ? 'meter-bad' : share > 0.75 ? 'meter-warn' : 'meter-good')

const Meter = ({ title, value, share, promised, note }: MeterProps) => (
  <div className="meter-block">
    <div className="spread">
      <h2>{title}</h2>
      <span className="figures">{value}</span>
    </div>
    <div className="meter" role="img" aria-label={`${title}: ${value}${note === undefined ? '' : `; ${note}`}`}>
      <span className={`meter-fill ${toneOf(share)}`} style={{ width: `${Math.min(100, Math.max(0.5, share * 100))}%` }} />
      {promised === undefined ? null : <span className="meter-mark" style={{ left: `${Math.min(100, promised * 100)}%` }} />}
    </div>
    {note === undefined ? null : <span className="soft">{note}</span>}
  </div>
)

const percent = (share: number): string => `${Math.round(share * 100)}%`

export const Capacity = ({ host: { name, capacity, inventory } }: { readonly host: HostView }) => {
  const { cpus, memory, disks, pids, promised } = capacity
  const [load = 0, five = 0, fifteen = 0] = cpus.load
  const used = memory.total - memory.available
  return (
    <div className="stack">
      <div className="meters">
        <Card>
          <Meter
            title="Processor"
            value={`load ${load.toFixed(2)} of ${plural(cpus.count, 'core')}`}
            share={load / cpus.count}
            promised={promised.cpus / cpus.count}
            note={`${number(promised.cpus)} cores are promised (${percent(promised.cpus / cpus.count)}); over 5 and 15 minutes ${five.toFixed(2)}, ${fifteen.toFixed(2)}`}
          />
        </Card>
        <Card>
          <Meter
            title="Memory"
            value={`${bytes(used)} of ${bytes(memory.total)}`}
            share={used / memory.total}
            promised={promised.memory / memory.total}
            note={`${bytes(promised.memory)} are promised (${percent(promised.memory / memory.total)}); ${memory.swap === 0 ? 'no swap' : `${bytes(memory.swap - memory.swapFree)} of ${bytes(memory.swap)} of swap`}`}
          />
        </Card>
        {disks.map(({ path, of, size, free }) => (
          <Card key={path}>
            <Meter title="Disk" value={`${bytes(size - free)} of ${bytes(size)}`} share={(size - free) / size} note={`${of}: ${path}`} />
          </Card>
        ))}
        <Card>
          <Meter title="Threads" value={`${number(pids.now)} of ${number(pids.most)}`} share={pids.now / pids.most} note="of the whole host" />
        </Card>
      </div>
      <p className="soft">
        The line in a bar is what is promised: the limits of all live instances together. More than there is can be promised, for seldom is all of it
        used at once.
      </p>
      <Card title={name}>
        <Facts
          facts={[
            ['Instances', `${number(promised.instances)} in ${plural(promised.environments, 'environment')}`],
            ['System', inventory.os.name],
            ['Kernel', inventory.kernel.release],
            ['Architecture', inventory.os.architecture],
            ['Processor', cpus.model],
            ['Booted', <Ago key="boot" at={inventory.bootedAt} />],
          ]}
        />
      </Card>
    </div>
  )
}
