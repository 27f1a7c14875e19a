"""The road graph of the province: travel times, closures and routes for the map."""

from .arrays import UNREACHABLE_S
from .conditions import RoadConditions, arcs_downwind, arcs_in_circle, both_ways
from .demo import RoadPlace, demo_roads
from .graph import PROFILES, Arc, Graph, RoadClass, VehicleProfile, load_graph, save_graph
from .network import RoadNetwork, Route, Spot
from .search import bridges, nearest_arc

__all__ = [
    "PROFILES",
    "UNREACHABLE_S",
    "Arc",
    "Graph",
    "RoadClass",
    "RoadConditions",
    "RoadNetwork",
    "RoadPlace",
    "Route",
    "Spot",
    "VehicleProfile",
    "arcs_downwind",
    "arcs_in_circle",
    "both_ways",
    "bridges",
    "demo_roads",
    "load_graph",
    "nearest_arc",
    "save_graph",
]
