/** Division codes and their names: those that have an office of the line. */
import { computed } from 'vue'
import { useMapData } from '@/stores/map'
import { useSession } from '@/stores/session'

export function useRegions() {
  const data = useMapData()
  const session = useSession()
  const options = computed(() => {
    const names = new Map<string, string>()
    for (const one of data.places.organisations ?? []) {
      if (one.line === 'emergency_management' && one.region_code && one.region_name) names.set(one.region_code, one.region_name)
    }
    return [...names].map(([code, name]) => ({ code, name }))
  })
  const known = computed(() => new Map(options.value.map((one) => [one.code, one.name])))
  const name = (code: string): string => (known.value.has(code) ? `${known.value.get(code)} ${code}` : code)
  /** Who may not read the library sees codes alone. */
  const load = (): Promise<void> => (session.may('library.read') ? data.loadPlaces('organisations').catch(() => undefined) : Promise.resolve())
  return { options, name, load }
}
