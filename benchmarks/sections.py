"""What docs/benchmarks.md says of each: what is measured, beside whom, within which limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Figures = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of a section's table; `key` may go into a nested object by a dot."""

    key: str
    label: str
    at_most: float | None = None
    at_least: float | None = None

    def value(self, result: Figures) -> object:
        found: object = result
        for part in self.key.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    @property
    def limit(self) -> str:
        """In words; empty where there is none."""
        if self.at_most is not None:
            return f"≤ {self.at_most:,g}"
        return f"≥ {self.at_least:,g}" if self.at_least is not None else ""

    def holds(self, result: Figures) -> bool | None:
        """None: no limit, or no figure."""
        value = self.value(result)
        if not isinstance(value, int | float) or not self.limit:
            return None
        if self.at_most is not None:
            return value <= self.at_most
        return self.at_least is None or value >= self.at_least


@dataclass(frozen=True, slots=True)
class Section:
    """`rivals` says against whom, in one sentence."""

    job: str
    measured: str
    rivals: str
    figures: tuple[Figure, ...] = ()
    tighter: Mapping[str, Mapping[str, float]] = field(
        default_factory=dict
    )  # variant: key: at most

    def figures_of(self, variant: str) -> tuple[Figure, ...]:
        """With the limits of this variant."""
        limits = self.tighter.get(variant, {})
        return tuple(
            Figure(figure.key, figure.label, limits[figure.key]) if figure.key in limits else figure
            for figure in self.figures
        )


SECTIONS = {
    "fanout": Section(
        "one rung's packets to many receivers, against aiortc and Janus",
        "Processor time of the sending process for each packet that a receiver got: header "
        "rewritten, SRTP applied, sent over a veth pair. Receivers drain, count, and open the "
        "first one's packets. A core's receivers are at 1.5 Mbit/s, 150 packets a second.",
        "Janus's streaming plugin, aiortc's own sender and our twin in Python send the same "
        "packets with the same suite over the same pair, in turn.",
        (
            Figure("ours_us_per_packet", "ours, µs a delivered packet"),
            Figure("python_twin_us_per_packet", "our Python twin, µs"),
            Figure("aiortc_us_per_packet", "aiortc, µs"),
            Figure("janus_us_per_packet", "Janus, µs"),
            Figure("janus_ratio", "Janus's cost / ours", at_least=4),
            Figure("aiortc_ratio", "aiortc's cost / ours", at_least=3),
            Figure("receivers_per_core", "receivers a core", at_least=1500),
            Figure("delivered_pct", "delivered, %"),
        ),
    ),
    "province": Section(
        "a province's sites in one consultation",
        "A media node with 144 halls in and out: every other one by SRTP, every twelfth an old "
        "room with H.263, the others H.264; each sends picture and sound over a veth pair and "
        "gets the programme. CPU is the node's and its children's. A late tick ended over 40 ms "
        "after its time; ticks whose threads waited over 5 ms for a processor are counted apart "
        "as starved. Each site's last two seconds are stored and decoded afterwards.",
        "No rival: aiortc's receiving alone takes 70 % of a core for 144 sites.",
        (
            Figure("cpu_cores", "node, cores", at_most=1.6),
            Figure("fps", "pictures a second at the sites", at_least=24.9),
            Figure("late_ticks_pct", "late ticks, %", at_most=2),
            Figure("starved_ticks_pct", "starved ticks, %"),
            Figure("late_frames_pct", "late pictures as sites saw them, %"),
            Figure("decoded_sites", "sites whose stream decodes", at_least=144),
            Figure("packets_out_per_s", "packets out a second"),
            Figure("rss_mb", "memory, MB"),
            Figure("cpu_wait_pct", "node's wait for a processor, %"),
        ),
        {"--visible 25x360p": {"cpu_cores": 1.5}},
    ),
    "latency": Section(
        "from a site's frame to the programme that shows it",
        "From the last packet of a source's picture (25.1 a second, four visible) to the last "
        "packet of the first programme picture that shows it, and how far a flash and its beep "
        "are apart. Times are the kernel's.",
        "No rival: other bridges forward or were not to be had.",
        (
            Figure("added_p50_ms", "added, median, ms", at_most=40),
            Figure("added_p95_ms", "added, p95, ms", at_most=60),
            Figure("av_offset_p95_ms", "flash to beep, p95, ms", at_most=40),
            Figure("frames", "pictures"),
            Figure("cpu_wait_pct", "node's wait for a processor, %"),
        ),
    ),
    "join": Section(
        "from a click to the first picture",
        "Phones and screens join the whole product by WHIP and WHEP with aiortc as client: from "
        "the POST to the first picture that the node, or the client, has decoded. Rooms call a "
        "gateway: from INVITE to 200, from SETUP to CONNECT. One after another.",
        "No rival.",
        (
            Figure("whip_first_frame_p50_ms", "WHIP, median, ms"),
            Figure("whip_first_frame_p95_ms", "WHIP, p95, ms", at_most=500),
            Figure("whep_first_frame_p50_ms", "WHEP, median, ms"),
            Figure("whep_first_frame_p95_ms", "WHEP, p95, ms", at_most=500),
            Figure("sip_answer_p95_ms", "SIP answer, p95, ms"),
            Figure("h323_connect_p95_ms", "H.323 connect, p95, ms"),
            Figure("joins", "joins of each kind"),
            Figure("cpu_wait_pct", "the clients' wait for a processor, %"),
        ),
    ),
    "sip": Section(
        "calls and registrations per second",
        "The gateway process under sipp's calls and digest registrations, a trusted peer, no "
        "media: its own processor time. Then 144 idle halls, in a gateway that nobody called "
        "before, and 144 that register and join at once.",
        "aiosipua's bare user agent server takes the same calls in the same run.",
        (
            Figure("calls_per_s", "calls offered a second"),
            Figure("failed", "calls failed", at_most=0),
            Figure("cpu_ms_per_call", "ours, ms a call", at_most=2),
            Figure("aiosipua_ms_per_call", "aiosipua, ms a call"),
            Figure("registers", "registrations"),
            Figure("registers_failed", "registrations failed", at_most=0),
            Figure("cpu_ms_per_register", "ours, ms a registration", at_most=0.7),
            Figure("idle_144_core_pct", "144 idle halls, % of a core", at_most=1),
            Figure("storm_144_s", "144 halls register and join, s", at_most=30),
            Figure("cpu_wait_pct", "wait for a processor, %"),
        ),
    ),
    "h323": Section(
        "H.323 call set-up",
        "20 calls at once by fast start, again and again: from SETUP sent to CONNECT with its "
        "channels received. Processor time is the gateway process's.",
        "No rival: no other Python speaks H.323.",
        (
            Figure("calls", "calls"),
            Figure("failed", "failed", at_most=0),
            Figure("setup_p50_ms", "set-up, median, ms"),
            Figure("setup_p95_ms", "set-up, p95, ms", at_most=100),
            Figure("cpu_ms_per_call", "ms a call"),
            Figure("cpu_wait_pct", "wait for a processor, %"),
        ),
    ),
    "dispatch": Section(
        "the optimiser against others on known instances",
        "Cost of the plan after a short and a long time over a bound that is proven outside this "
        "time (1 is the bound itself), on instances of our generator and published ones.",
        "Practice greedy, OR-Tools routing and cold CP-SAT are given our time in the same run.",
        (
            Figure("median_ratio_1s", "cost / bound after the short time, median"),
            Figure("median_ratio_10s", "cost / bound after the long time, median"),
            Figure("hhcrsp_mean_ratio", "HHCRSP: cost / best known, means by size"),
            Figure("solomon_worst_ratio", "Solomon: cost / best known, worst"),
        ),
    ),
    "roads": Section(
        "travel times over a large road graph",
        "A graph of a province's size with warm rows of travel times; arcs of current routes are "
        "closed in turn: from the closure to a new plan.",
        "networkx and scipy compute the same rows; random pairs have to agree.",
        (
            Figure("nodes", "nodes"),
            Figure("rows", "warm rows"),
            Figure("closure_to_plan_s", "closure to a new plan, median, s", at_most=1),
            Figure("closure_to_plan_worst_s", "closure to a new plan, worst, s"),
            Figure("row_ms.scipy", "one row by scipy, ms"),
            Figure("row_ms.networkx", "one row by networkx, ms"),
            Figure("agree_pairs", "pairs on which both agree", at_least=1000),
        ),
    ),
    "search": Section("finding documents by Chinese words", "", ""),
    "desk": Section(
        "many consoles at one desk",
        "The whole product and consoles with a live socket each, all of one session. One adds "
        "remarks to the timeline, one after another: from the request to the event at every "
        "console. Then all read what a console reads when it is opened, as fast as they are "
        "answered. Memory is what the web process grew by while the consoles came. Consoles and "
        "product share the machine's cores.",
        "No rival.",
        (
            Figure("consoles", "consoles"),
            Figure("event_p50_ms", "event, median, ms"),
            Figure("event_p95_ms", "event, p95, ms"),
            Figure("events_lost", "events lost", at_most=0),
            Figure("connect_refusals", "sockets refused", at_most=0),
            Figure("api_p50_ms", "request while all ask at once, median, ms"),
            Figure("api_p95_ms", "request while all ask at once, p95, ms"),
            Figure("rps", "requests a second"),
            Figure("requests_failed", "requests failed", at_most=0),
            Figure("mb_per_100_consoles", "memory of 100 consoles, MB"),
            Figure("cpu_wait_pct", "the consoles' wait for a processor, %"),
        ),
    ),
}
