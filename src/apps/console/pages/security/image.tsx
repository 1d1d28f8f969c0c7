/** What an image holds, what is wrong with it, and where it ran. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { BlockedImageView } from '../../../../api/schemas/responses.ts'
import { InventoryDetailView } from '../../../../api/schemas/security.ts'
import { get, pathOf, send } from '../../api/http.ts'
import { useMay } from '../../api/session.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { Card, Facts } from '../../components/page.tsx'
import { Search } from '../../components/search.tsx'
import { Empty, Failure, Shown } from '../../components/states.tsx'
import type { Column } from '../../components/table.tsx'
import { Table } from '../../components/table.tsx'
import { Ago, Time } from '../../components/time.tsx'
import { plural, shortDigest } from '../../format.ts'
import { Link, navigate } from '../../router.tsx'
import { calledImage } from './images.tsx'
import { SeverityCounts, worstFirst } from './severities.tsx'

type Detail = InventoryDetailView
type Content = Detail['contents'][number]
type Ran = Detail['ran'][number]

const contentColumns: readonly Column<Content>[] = [
  {
    ...{ key: 'name', title: 'Package', width: 'minmax(9rem, 1.4fr)', sort: ({ name }: Content) => name },
    cell: ({ name, version, type }) => (
      <span className="finding-name">
        <strong className="wrap">{name}</strong>
        <span className="soft">
          <code>{version}</code> {type}
        </span>
      </span>
    ),
  },
  {
    ...{ key: 'wrong', title: 'Vulnerabilities', width: 'minmax(9rem, 2.4fr)' },
    sort: ({ vulnerabilities: [first] }) => (first === undefined ? 9 : worstFirst.indexOf(first.severity)),
    cell: ({ vulnerabilities }) =>
      vulnerabilities.length === 0 ? (
        <span className="soft">none known</span>
      ) : (
        <span className="line">
          {vulnerabilities.slice(0, 3).map(({ id, severity, exploited, settled }) => (
            <span key={id} className="line">
              <Badge word={exploited ? 'exploited' : severity} {...(settled ? { tone: 'quiet' } : exploited ? { tone: 'bad' } : {})} />
              <span className="wrap">{id}</span>
            </span>
          ))}
          {vulnerabilities.length > 3 ? <span className="soft">+{vulnerabilities.length - 3}</span> : null}
        </span>
      ),
  },
  {
    ...{ key: 'fixed', title: 'Fixed in', width: 'minmax(7rem, 1fr)', minor: true },
    cell: ({ vulnerabilities }) => {
      const fixes = [...new Set(vulnerabilities.flatMap(({ fixed }) => fixed ?? []))]
      return vulnerabilities.length === 0 ? '' : fixes.length === 0 ? <span className="soft">no fix yet</span> : <code>{fixes.join(', ')}</code>
    },
  },
]

const ranColumns: readonly Column<Ran>[] = [
  {
    key: 'environment',
    title: 'Environment',
    width: 'minmax(7rem, 2fr)',
    cell: ({ environment }) => <strong className="wrap">{environment.name}</strong>,
    sort: ({ environment }) => environment.name,
  },
  { key: 'workload', title: 'Workload', minor: true, cell: ({ workload }) => workload },
  { key: 'owner', title: 'Owner', minor: true, cell: ({ environment }) => environment.owner, sort: ({ environment }) => environment.owner },
  {
    ...{ key: 'state', title: 'When', width: '8rem', sort: ({ from }: Ran) => -from },
    cell: ({ running, instances, until }) =>
      running > 0 ? (
        <Badge word={instances > 1 ? `${running}/${instances} running` : 'running'} tone="good" />
      ) : until === null ? (
        '–'
      ) : (
        <Ago at={until} />
      ),
  },
]

const BlockDialog = ({ image, onClose }: { readonly image: Detail; readonly onClose: () => void }) => {
  const [reason, setReason] = useState('')
  const client = useQueryClient()
  const block = useMutation({
    mutationFn: () => send(BlockedImageView, 'POST', '/v1/blocked-images', { image: image.digest, reason }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['inventory'] })
      onClose()
    },
  })
  return (
    <Dialog title={`Block ${calledImage(image)}`} onClose={onClose}>
      <form
        className="stack"
        onSubmit={event => {
          event.preventDefault()
          block.mutate()
        }}
      >
        <p>No start of it is admitted from now on, whatever policy says. What runs goes on.</p>
        <label className="field">
          Why: everybody who is refused reads it
          <input required maxLength={1024} value={reason} onChange={event => setReason(event.target.value)} />
        </label>
        {block.isError ? <Failure error={block.error} what="blocking it" /> : null}
        <CliLine words={['image', 'block', image.digest, '--reason', reason === '' ? 'WHY' : reason]} />
        <div className="actions">
          <button type="submit" className="danger" disabled={block.isPending || reason === ''}>
            Block
          </button>
          <button type="button" onClick={onClose}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  )
}

const BlockButton = ({ image }: { readonly image: Detail }) => {
  const may = useMay()
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const unblock = useMutation({
    mutationFn: () => send(BlockedImageView, 'DELETE', pathOf('/v1/blocked-images/:digest', { digest: image.digest })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['inventory'] }),
  })
  if (image.blocked) {
    return may('DELETE /v1/blocked-images/:digest') ? (
      <button type="button" disabled={unblock.isPending} onClick={() => unblock.mutate()}>
        Admit it again
      </button>
    ) : null
  }
  if (!may('POST /v1/blocked-images')) return null
  return (
    <>
      <button type="button" className="danger" onClick={() => setAsking(true)}>
        Block…
      </button>
      {asking ? <BlockDialog image={image} onClose={() => setAsking(false)} /> : null}
    </>
  )
}

const Held = ({ image }: { readonly image: Detail }) => {
  const [text, setText] = useState('')
  const [wrong, setWrong] = useState(false)
  const rows = image.contents.filter(
    ({ name, version, vulnerabilities }) =>
      (!wrong || vulnerabilities.length > 0) &&
      [name, version, ...vulnerabilities.map(({ id }) => id)].some(word => word.toLowerCase().includes(text.toLowerCase())),
  )
  return (
    <div className="stack">
      <div className="spread">
        <Search main label="Search packages" placeholder="Package, version or CVE" value={text} onChange={setText} />
        <label className="check">
          <input type="checkbox" checked={wrong} onChange={event => setWrong(event.target.checked)} />
          Only those with vulnerabilities
        </label>
      </div>
      {rows.length === 0 ? (
        <Empty title={image.contents.length === 0 ? 'It has no packages that Dayfly knows.' : 'Nothing fits.'} />
      ) : (
        <Table label="Packages" columns={contentColumns} rows={rows} rowKey={({ purl }) => purl} rowHeight={54} maxHeight={520} />
      )}
    </div>
  )
}

const Shows = ({ image }: { readonly image: Detail }) => (
  <div className="stack">
    <div>
      <Link to="/security/images">← All images</Link>
    </div>
    <Card title={calledImage(image)} actions={<BlockButton image={image} />}>
      <div className="stack">
        <Facts
          facts={[
            [
              'Digest',
              <code key="digest" title={image.digest}>
                {shortDigest(image.digest)}
              </code>,
            ],
            ['Names', image.names.join(', ')],
            ['Distribution', image.distribution === null ? 'none' : `${image.distribution.id} ${image.distribution.version}`],
            ['Vulnerabilities', <SeverityCounts key="counts" counts={image.vulnerabilities} />],
            ['In the image store', image.present ? 'yes' : 'it was removed'],
            ['Starts', image.blocked ? <Badge key="blocked" word="blocked" tone="bad" /> : 'as policy says'],
            ['Looked at', <Time key="scanned" at={image.scannedAt} full />],
            ['Vulnerability data of', image.dataFrom === null ? 'there is none' : <Time key="data" at={image.dataFrom} full />],
          ]}
        />
        {image.problems.length === 0 ? null : <p className="wrap soft">Not understood: {image.problems.join('; ')}</p>}
      </div>
    </Card>
    <div className="columns">
      <Card title={plural(image.contents.length, 'package')}>
        <Held image={image} />
      </Card>
      <Card title={`Ran in ${plural(image.environments, 'environment')}`}>
        <Table
          label="Where it ran"
          columns={ranColumns}
          rows={image.ran}
          rowKey={({ environment, workload }) => `${environment.id} ${workload}`}
          onRow={({ environment }) => navigate(`/environments/${environment.id}`)}
        />
      </Card>
    </div>
    <CliLine words={['who', '--image', image.names[0] ?? image.digest]} />
  </div>
)

export const Image = ({ digest }: { readonly digest: string }) => {
  const image = useQuery({
    queryKey: ['inventory', digest],
    queryFn: ({ signal }) => get(InventoryDetailView, pathOf('/v1/inventory/:digest', { digest }), signal),
    refetchInterval: 30_000,
  })
  return (
    <Shown query={image} what="the image">
      {found => <Shows image={found} />}
    </Shown>
  )
}
