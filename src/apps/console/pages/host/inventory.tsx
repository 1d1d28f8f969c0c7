/** Who can log in, what listens, which disks are encrypted; and where that is known from. */
import { useState } from 'react'
import type { HostView } from '../../../../api/schemas/host.ts'
import { Badge } from '../../components/badge.tsx'
import { Card, Facts } from '../../components/page.tsx'
import { Empty } from '../../components/states.tsx'
import { Table } from '../../components/table.tsx'
import { Ago } from '../../components/time.tsx'
import { bytes, number } from '../../format.ts'

type Inventory = HostView['inventory']

const sources = {
  osquery: 'Told by osquery.',
  files: 'Told by the system’s own files and programs: /etc, /proc, dpkg and lsblk. Where osqueryi is installed, it is asked instead.',
} as const

const Users = ({ users }: { readonly users: Inventory['users'] }) => {
  const [all, setAll] = useState(false)
  const shown = users.filter(({ login }) => all || login)
  return (
    <Card
      title="Users"
      actions={
        <label className="check">
          <input type="checkbox" checked={all} onChange={event => setAll(event.target.checked)} />
          Also those who cannot log in
        </label>
      }
    >
      <Table
        label="Users"
        rows={shown}
        rowKey={({ name, uid }) => `${uid} ${name}`}
        columns={[
          { key: 'name', title: 'Name', cell: ({ name }) => <strong>{name}</strong>, sort: ({ name }) => name },
          { key: 'uid', title: 'Number', width: '5rem', numeric: true, cell: ({ uid }) => uid, sort: ({ uid }) => uid },
          { key: 'login', title: 'Logs in', width: '5rem', cell: ({ login }) => (login ? 'yes' : 'no') },
          { key: 'shell', title: 'Shell', minor: true, cell: ({ shell }) => <code>{shell}</code> },
          { key: 'home', title: 'Home', minor: true, cell: ({ home }) => <code>{home}</code> },
        ]}
        maxHeight={320}
      />
    </Card>
  )
}

const Listeners = ({ listeners }: { readonly listeners: Inventory['listeners'] }) => (
  <Card title="Listeners">
    {listeners.length === 0 ? (
      <Empty title="Nothing listens." />
    ) : (
      <Table
        label="Listeners"
        rows={listeners.toSorted((left, right) => Number(left.reach === 'loopback') - Number(right.reach === 'loopback') || left.port - right.port)}
        rowKey={({ protocol, address, port, pid }) => `${protocol} ${address} ${port} ${pid}`}
        columns={[
          {
            key: 'port',
            title: 'Port',
            width: '6.5rem',
            cell: ({ protocol, port }) => <strong className="figures">{`${port}/${protocol}`}</strong>,
            sort: ({ port }) => port,
          },
          {
            key: 'address',
            title: 'Address',
            width: 'minmax(5rem, 1.4fr)',
            cell: ({ address }) => <code>{address}</code>,
            sort: ({ address }) => address,
          },
          {
            key: 'reach',
            title: 'Reached from',
            width: '7rem',
            cell: ({ reach }) => <Badge word={reach} tone={reach === 'network' ? 'warn' : 'quiet'} />,
            sort: ({ reach }) => reach,
          },
          {
            key: 'process',
            title: 'Process',
            minor: true,
            cell: ({ process, pid }) => (process === null ? '–' : <code>{`${process}[${pid}]`}</code>),
            sort: ({ process }) => process ?? '',
          },
        ]}
        maxHeight={420}
      />
    )}
  </Card>
)

const Disks = ({ disks }: { readonly disks: Inventory['disks'] }) => (
  <Card title="Disks">
    {disks.length === 0 ? (
      <Empty title="No disk is known." />
    ) : (
      <Table
        label="Disks"
        rows={disks}
        rowKey={({ name, type, mount }) => `${name} ${type} ${mount}`}
        columns={[
          {
            key: 'name',
            title: 'Disk',
            cell: ({ name, type }) => (
              <>
                <strong>{name}</strong> <span className="soft">{type}</span>
              </>
            ),
          },
          {
            key: 'size',
            title: 'Size',
            width: '6rem',
            numeric: true,
            cell: ({ size }) => (size === null ? '–' : bytes(size)),
            sort: ({ size }) => size ?? 0,
          },
          {
            key: 'encrypted',
            title: 'Encrypted',
            width: '7rem',
            cell: ({ encrypted }) => (encrypted ? <Badge word="encrypted" tone="good" /> : <span>no</span>),
          },
          {
            key: 'mount',
            title: 'Mounted at',
            minor: true,
            cell: ({ mount, fileSystem }) => <code>{[mount, fileSystem].filter(Boolean).join(' ') || '–'}</code>,
          },
        ]}
        maxHeight={320}
      />
    )}
  </Card>
)

export const Inventory = ({ inventory }: { readonly inventory: Inventory }) => {
  const { source, takenAt, problems, os, kernel, packages, users, listeners, disks, bootedAt } = inventory
  return (
    <div className="stack">
      <p className="soft">
        {sources[source]} <Ago at={takenAt} />.
      </p>
      {problems.map(problem => (
        <p key={problem} className="host-notice wrap">
          {problem}
        </p>
      ))}
      <Card title="System">
        <Facts
          facts={[
            ['System', os.name],
            ['Version', [os.version, os.codename].filter(part => part !== '').join(' ')],
            ['Kernel', kernel.release],
            ['Built', kernel.version],
            ['Architecture', os.architecture],
            ['Packages', number(packages)],
            ['Booted', <Ago key="boot" at={bootedAt} />],
          ]}
        />
      </Card>
      <div className="columns">
        <Listeners listeners={listeners} />
        <div className="stack">
          <Users users={users} />
          <Disks disks={disks} />
        </div>
      </div>
    </div>
  )
}
