/** Coverage studies: throws of chance made by workers, tables as far as they are. */
import { get, post, type Items } from './client'

export interface SweepQuestion {
  name: string
  draws: number
  lost_pct: number[]
  incidents: number
  tasks_each: number
  closures: number
  golden_minutes: number
  seed: number
}
export interface Sweep {
  id: string
  name: string
  state: 'running' | 'done' | 'cancelled' | 'failed'
  question: SweepQuestion
  team_count: number
  wanted: number
  made: number
  created_at: string
  created_by: string
  finished_at: string | null
}
export interface SweepVariant {
  lost_pct: number
  draws: number
  served_pct: number
  late_pct: number
  reached_pct: number
  first_minutes: { p10: number | null; p25: number | null; p50: number | null; p75: number | null; p90: number | null }
  last_minutes_p90: number | null
  cover_missing: number
}
export interface SweepRegion {
  region_code: string
  incidents: number
  reached_pct: number
  first_minutes_p50: number | null
}
export interface SweepResult extends Sweep {
  variants: SweepVariant[]
  regions: SweepRegion[]
}

export const listSweeps = () => get<Items<Sweep>>('/sweeps')
export const readSweep = (id: string) => get<SweepResult>(`/sweeps/${id}`)
export const startSweep = (question: SweepQuestion) => post<Sweep>('/sweeps', question)
export const cancelSweep = (id: string) => post<Sweep>(`/sweeps/${id}/cancel`)
