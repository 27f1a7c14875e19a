import { API, get, post, query, type Items } from './client'

export interface Recording {
  id: string
  consultation_id: string
  consultation_number: string
  incident_id: string | null
  title: string
  state: 'running' | 'stopped' | 'expired'
  started_at: string
  stopped_at: string | null
  started_by_name: string
  duration_ms: number
  size_bytes: number
  kept_until: string | null
  alarm_code: string | null
  alarm_text: string | null
  is_drill: boolean
}
export interface Film {
  source: string
  kind: 'programme' | 'site' | 'content'
  name: string
  codec: string
  width: number
  height: number
  started_at: string
  duration_ms: number
  size_bytes: number
  segments: number
  is_playable: boolean
}
export interface Bookmark {
  id: string
  at: string
  offset_ms: number
  text: string
  made_by_name: string
}
export interface RecordingDetail extends Recording {
  sources: Film[]
  bookmarks: Bookmark[]
}
export interface Download {
  source: string
  state: 'making' | 'ready' | 'failed'
  file_name: string
  size_bytes: number | null
}
export interface LiveOutput {
  id: string
  consultation_id: string
  kind: 'hls' | 'rtmp'
  target: string
  delay_s: number
  state: 'running' | 'stopped'
  started_at: string
  is_flowing: boolean
  alarm_code: string | null
  alarm_text: string | null
  playlist_url: string | null
}

export const listRecordings = (of: { consultation_id?: string } = {}) =>
  get<Items<Recording>>(`/recordings${query({ ...of, limit: 100 })}`)
export const readRecording = (id: string) => get<RecordingDetail>(`/recordings/${id}`)
export const startRecording = (consultationId: string) =>
  post<RecordingDetail>(`/consultations/${consultationId}/recordings`)
export const stopRecording = (id: string) => post<RecordingDetail>(`/recordings/${id}/stop`)
export const addBookmark = (id: string, text: string) => post<RecordingDetail>(`/recordings/${id}/bookmarks`, { text })
export const verifyRecording = (id: string) =>
  post<{ checked: number; broken: string[] }>(`/recordings/${id}/verify`, {}, { timeoutMs: 300_000 })
export const filmUrl = (id: string, source: string) =>
  `${API}/recordings/${id}/films/${encodeURIComponent(source)}.m3u8`
export const orderDownload = (id: string, source: string) =>
  post<Download>(`/recordings/${id}/downloads`, { source })
export const downloadUrl = (id: string, source: string) =>
  `${API}/recordings/${id}/downloads/${encodeURIComponent(source)}`

export const listLives = (consultationId: string) =>
  get<Items<LiveOutput>>(`/consultations/${consultationId}/live-outputs`)
export const startLive = (consultationId: string, kind: 'hls' | 'rtmp', target: string, delayS: number) =>
  post<LiveOutput>(`/consultations/${consultationId}/live-outputs`, { kind, target, delay_s: delayS })
export const stopLive = (id: string) => post<LiveOutput>(`/live-outputs/${id}/stop`)
