/** The first steps, for whoever comes back to them. */
import { Page } from '../../components/page.tsx'
import { FirstSteps } from './first-steps.tsx'

export const Start = () => (
  <Page title="First steps" sub="From nothing to a sealed record, in three steps.">
    <FirstSteps />
  </Page>
)
