"""The road graph of the province: travel times, closures and routes for the map."""
