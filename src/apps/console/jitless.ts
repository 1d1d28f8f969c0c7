/**
 * To be imported before any schema is made. Zod would try whether it may make functions of text; the page's policy forbids it, and each try would be
 * reported as a violation.
 */
import { z } from 'zod'

z.config({ jitless: true })
