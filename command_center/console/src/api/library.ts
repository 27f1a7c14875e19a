import type { FeatureCollection } from 'geojson'
import { get, query, type Items } from './client'
import type { Place } from './types'

export type LibraryName = 'organisations' | 'sites' | 'teams' | 'depots' | 'hazards' | 'experts' | 'cameras'

export const listLibrary = (name: LibraryName, options: { q?: string; limit?: number } = {}) =>
  get<Items<Place>>(`/${name}${query({ q: options.q, limit: options.limit ?? 2000 })}`)
export const readBoundaries = (level: 'city' | 'county') =>
  get<FeatureCollection>(`/map/boundaries${query({ level })}`)
