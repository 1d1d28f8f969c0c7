/** What is wrong, over what lives and what has ended; what is in force against it; and a place to try the next rule. */
import { useMay } from '../../api/session.ts'
import { Page } from '../../components/page.tsx'
import { Empty } from '../../components/states.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { Link } from '../../router.tsx'
import { Detections } from './detections.tsx'
import { Exemptions } from './exemptions.tsx'
import { Findings } from './findings.tsx'
import { Image } from './image.tsx'
import { Images } from './images.tsx'
import { InForce } from './in-force.tsx'
import { Playground } from './playground.tsx'
import './security.css'
import { Story } from './story.tsx'

const tabs = [
  { key: 'findings', title: 'Findings', route: 'GET /v1/findings' },
  { key: 'detections', title: 'Detections', route: 'GET /v1/detections' },
  { key: 'images', title: 'Images', route: 'GET /v1/inventory' },
  { key: 'rules', title: 'Policies and rules', route: 'GET /v1/policies' },
  { key: 'playground', title: 'Playground', route: 'POST /v1/playground/policy' },
  { key: 'exemptions', title: 'Exemptions', route: 'GET /v1/exemptions' },
] as const

const Body = ({ tab, item }: { readonly tab: string; readonly item: string | undefined }) => {
  if (tab === 'findings') return <Findings />
  if (tab === 'detections') return item === undefined ? <Detections /> : <Story key={item} id={item} />
  if (tab === 'images') return item === undefined ? <Images /> : <Image key={item} digest={item} />
  if (tab === 'rules') return <InForce />
  if (tab === 'playground') return <Playground />
  if (tab === 'exemptions') return <Exemptions />
  return (
    <Empty title="There is no such part of this page.">
      <Link to="/security">See the findings</Link>
    </Empty>
  )
}

export const Security = ({ tab = 'findings', item }: { readonly tab?: string | undefined; readonly item?: string | undefined }) => {
  const may = useMay()
  const shown = tabs.filter(({ key, route }) => key === tab || may(route))
  return (
    <Page title="Security" sub="What is wrong with what runs and with what ran, and what stands against it.">
      <Tabs
        label="Security"
        current={tab}
        tabs={shown.map(({ key, title }) => ({ key, title, to: key === 'findings' ? '/security' : `/security/${key}` }))}
      />
      <Body tab={tab} item={item} />
    </Page>
  )
}
