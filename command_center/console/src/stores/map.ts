import type { FeatureCollection } from 'geojson'
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import { listLibrary, readBoundaries, type LibraryName } from '@/api/library'
import type { Place } from '@/api/types'

/** Boundaries and the libraries' places: read once, shared by every map. */
export const useMapData = defineStore('map', () => {
  const cities = shallowRef<FeatureCollection | null>(null)
  const counties = shallowRef<FeatureCollection | null>(null)
  const places = shallowRef<Partial<Record<LibraryName, Place[]>>>({})
  let reading: Promise<void> | null = null
  const readingPlaces = new Map<LibraryName, Promise<void>>()

  function loadBoundaries(): Promise<void> {
    reading ??= readAll().catch((error: unknown) => {
      reading = null
      throw error
    })
    return reading
  }
  async function readAll(): Promise<void> {
    const [first, second] = await Promise.all([readBoundaries('city'), readBoundaries('county')])
    cities.value = first
    counties.value = second
  }
  function loadPlaces(name: LibraryName): Promise<void> {
    let work = readingPlaces.get(name)
    if (!work) {
      work = listLibrary(name)
        .then(({ items }) => {
          places.value = { ...places.value, [name]: items }
        })
        .finally(() => readingPlaces.delete(name))
      if (!places.value[name]) readingPlaces.set(name, work)
    }
    return work
  }
  return { cities, counties, places, loadBoundaries, loadPlaces }
})
