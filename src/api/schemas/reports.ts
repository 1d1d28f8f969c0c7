/** Wire schema of a report. */
import { Report } from '../../model/report.ts'

export const ReportView = Report.meta({ id: 'Report' })
