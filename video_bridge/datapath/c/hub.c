/* All sockets of a node behind one epoll descriptor: one call takes in what came on any of them.
 *
 * A `peer` is one end of one SRTP association (or of plain RTP) and may have several sockets. Its
 * `flows`, told by payload type, are counted here (RFC 3550 A.1, A.8), and what nobody needs stays
 * here: pictures that are not shown, packets of a microphone in which nobody speaks. The twin in
 * Python is hub.py. Everything runs in one thread.
 */
#include "datapath.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define MAX_FLOWS 4
#define MAX_READ 16     /* datagrams of one socket in one system call */
#define MAX_ENTRIES 128 /* datagrams of one call */
#define MAX_EVENTS 64
#define MAX_DROPOUT 3000
#define MAX_MISORDER 100
#define GATE_DBOV -65
#define HANGOVER_S 0.5 /* longer than AudioReceiver's own, which fades the last word out */

enum mode { PASS = 0, COUNT = 1, GATE = 2 };

/* Must match _Counters in native_hub.py. */
struct counters {
    uint32_t ssrc;
    uint32_t starts; /* how often a source (re)started; 0: nothing came yet */
    uint32_t base, highest, cycles;
    uint32_t frames; /* marker bits */
    uint64_t received, octets, bytes, kept_back;
    double jitter; /* in clock units */
    double last_at;
};

struct flow {
    struct counters counters;
    int in_use, mode;
    uint8_t payload_type;
    uint32_t clock_rate;
    /* sound: payloads no longer than `dtx_size` or made of `quiet` codes alone are silence */
    int dtx_size, has_codes;
    uint8_t quiet[256];
    double quiet_since; /* < 0: not quiet */
    /* RFC 3550 A.1, A.8 */
    int has_transit, has_timestamp;
    int64_t bad_sequence;
    double transit;
    uint32_t last_timestamp;
};

struct peer {
    struct intake *intake;
    struct flow flows[MAX_FLOWS];
};

struct line { /* one socket */
    struct peer *peer;
    int fd;
    uint32_t tag;
    int is_expecting;
    uint8_t expected[28]; /* from elsewhere, everything is handed up */
    uint16_t expected_size;
};

struct hub {
    int epoll_fd;
    uint64_t refused;
    int entries, slots_used; /* by the call that runs */
    uint8_t slots[MAX_ENTRIES][SLOT];
};

struct hub *dp_hub_new(void)
{
    struct hub *hub = calloc(1, sizeof *hub);
    if (hub == NULL)
        return NULL;
    hub->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (hub->epoll_fd < 0) {
        free(hub);
        return NULL;
    }
    return hub;
}

void dp_hub_free(struct hub *hub)
{
    if (hub == NULL)
        return;
    close(hub->epoll_fd);
    free(hub);
}

int dp_hub_fd(const struct hub *hub) { return hub->epoll_fd; }

uint64_t dp_hub_refused(const struct hub *hub) { return hub->refused; }

/* --- peers and their sockets ---------------------------------------------------------------- */

/* Open with these keys from now on, with a fresh memory of what was seen. 0 or -1. */
int dp_peer_keys(struct peer *peer, int suite, const uint8_t *key, const uint8_t *salt,
                 int level_id)
{
    struct intake *intake = dp_intake_new(suite, key, salt, level_id);
    if (intake == NULL)
        return -1;
    dp_intake_free(peer->intake);
    peer->intake = intake;
    return 0;
}

void dp_peer_free(struct peer *peer)
{
    if (peer == NULL)
        return;
    dp_intake_free(peer->intake);
    free(peer);
}

struct peer *dp_peer_new(void)
{
    struct peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return NULL;
    if (dp_peer_keys(peer, PLAIN, NULL, NULL, 0)) {
        free(peer);
        return NULL;
    }
    return peer;
}

/* What to do with a payload type, negative: with none. A flow that stays what it was goes on counting. */
int dp_peer_flow(struct peer *peer, int index, int payload_type, uint32_t clock_rate, int dtx_size,
                 const uint8_t *quiet)
{
    struct flow *flow;
    if (index < 0 || index >= MAX_FLOWS)
        return -1;
    flow = &peer->flows[index];
    if (payload_type < 0 || !flow->in_use || flow->payload_type != payload_type ||
        flow->clock_rate != clock_rate) {
        memset(flow, 0, sizeof *flow);
        flow->bad_sequence = -1;
        flow->quiet_since = -1;
    }
    flow->in_use = payload_type >= 0;
    flow->payload_type = (uint8_t)payload_type;
    flow->clock_rate = clock_rate;
    flow->dtx_size = dtx_size;
    flow->has_codes = quiet != NULL;
    if (quiet != NULL)
        memcpy(flow->quiet, quiet, sizeof flow->quiet);
    return 0;
}

void dp_peer_mode(struct peer *peer, int index, int mode)
{
    if (index >= 0 && index < MAX_FLOWS)
        peer->flows[index].mode = mode;
}

const struct counters *dp_peer_counters(const struct peer *peer, int index)
{
    return index >= 0 && index < MAX_FLOWS ? &peer->flows[index].counters : NULL;
}

struct line *dp_hub_watch(struct hub *hub, struct peer *peer, int fd, uint32_t tag)
{
    struct epoll_event event = {0};
    struct line *line = calloc(1, sizeof *line);
    if (line == NULL)
        return NULL;
    line->peer = peer;
    line->fd = fd;
    line->tag = tag;
    event.events = EPOLLIN;
    event.data.ptr = line;
    if (epoll_ctl(hub->epoll_fd, EPOLL_CTL_ADD, fd, &event)) {
        free(line);
        return NULL;
    }
    return line;
}

/* To be called while the descriptor is open: a duplicate of it would keep the kernel waking us. */
void dp_hub_unwatch(struct hub *hub, struct line *line)
{
    epoll_ctl(hub->epoll_fd, EPOLL_CTL_DEL, line->fd, NULL);
    free(line);
}

/* Packets that come from elsewhere are all handed up; size 0: from anywhere is as good. */
void dp_line_expect(struct line *line, const uint8_t *address, int size, int is_expecting)
{
    if (size > (int)sizeof line->expected)
        size = sizeof line->expected;
    if (size > 0)
        memcpy(line->expected, address, (size_t)size);
    line->expected_size = (uint16_t)size;
    line->is_expecting = is_expecting;
}

/* --- one packet ------------------------------------------------------------------------------ */

static void restart(struct flow *flow, uint32_t ssrc, uint32_t sequence)
{
    struct counters *c = &flow->counters;
    c->ssrc = ssrc;
    c->starts++;
    c->base = c->highest = sequence;
    c->cycles = 0;
    c->received = 0;
    c->jitter = 0;
    flow->has_transit = flow->has_timestamp = 0;
    flow->bad_sequence = -1;
}

/* RFC 3550 A.1 update_seq without probation; 0: a wild sequence number. */
static int advance(struct flow *flow, uint32_t sequence)
{
    struct counters *c = &flow->counters;
    int distance = (int16_t)(uint16_t)(sequence - c->highest);
    if (distance > 0 && distance < MAX_DROPOUT) {
        if (sequence < c->highest)
            c->cycles += 1u << 16;
        c->highest = sequence;
    } else if (distance > 0 || distance < -MAX_MISORDER) {
        if (flow->bad_sequence != (int64_t)sequence) {
            flow->bad_sequence = (sequence + 1) & 0xffff;
            return 0;
        }
        restart(flow, c->ssrc, sequence); /* two in a row: the peer restarted */
    }
    return 1;
}

static void measure_jitter(struct flow *flow, uint32_t timestamp, double now)
{
    double transit, difference;
    if (flow->has_timestamp && flow->last_timestamp == timestamp)
        return; /* only the first packet of a video frame counts */
    flow->last_timestamp = timestamp;
    flow->has_timestamp = 1;
    transit = now * flow->clock_rate - timestamp;
    if (flow->has_transit) {
        difference = transit - flow->transit;
        difference -= nearbyint(difference / 4294967296.0) * 4294967296.0;
        if (fabs(difference) < 10.0 * flow->clock_rate)
            flow->counters.jitter += (fabs(difference) - flow->counters.jitter) / 16;
    }
    flow->transit = transit;
    flow->has_transit = 1;
}

static void count(struct flow *flow, const uint8_t *packet, int size, int payload, double now)
{
    struct counters *c = &flow->counters;
    uint32_t ssrc = get32(packet + 8), sequence = get16(packet + 2);
    c->last_at = now;
    c->bytes += (uint64_t)size;
    if (packet[1] & 0x80)
        c->frames++;
    if (c->starts == 0 || ssrc != c->ssrc)
        restart(flow, ssrc, sequence);
    else if (!advance(flow, sequence))
        return;
    c->received++;
    c->octets += (uint64_t)payload;
    measure_jitter(flow, get32(packet + 4), now);
}

static int is_quiet(const struct flow *flow, const uint8_t *payload, int size, int level)
{
    int i;
    if (level != NO_LEVEL)
        return level <= GATE_DBOV;
    if (size <= flow->dtx_size)
        return 1;
    if (!flow->has_codes)
        return 0;
    for (i = 0; i < size; i++)
        if (!flow->quiet[payload[i]])
            return 0;
    return 1;
}

static int is_gated(struct flow *flow, const uint8_t *payload, int size, int level, double now)
{
    if (!is_quiet(flow, payload, size, level)) {
        flow->quiet_since = -1;
        return 0;
    }
    if (flow->quiet_since < 0)
        flow->quiet_since = now;
    return now - flow->quiet_since > HANGOVER_S;
}

/* Count an opened RTP packet; 1 when it has to be handed up. */
static int route(const struct line *line, const struct entry *entry, double now)
{
    const uint8_t *packet = entry->data;
    struct flow *flow = NULL;
    int header, payload, i, stays = 0, size = (int)entry->size;
    for (i = 0; i < MAX_FLOWS && flow == NULL; i++)
        if (line->peer->flows[i].in_use &&
            line->peer->flows[i].payload_type == (packet[1] & 0x7f))
            flow = &line->peer->flows[i];
    if (flow == NULL)
        return 1;
    header = 12 + 4 * (packet[0] & 0x0f); /* `intake_judge` has checked these lengths */
    if (packet[0] & 0x10)
        header += 4 + 4 * (int)get16(packet + header + 2);
    payload = size - header;
    if (packet[0] & 0x20)
        payload -= packet[size - 1];
    if (payload < 0 || (packet[0] & 0x20 && packet[size - 1] == 0))
        return 1; /* malformed: the stream refuses it */
    count(flow, packet, size, payload, now);
    if (line->is_expecting &&
        (line->expected_size == 0 ||
         (line->expected_size == entry->address_size &&
          memcmp(line->expected, entry->address, entry->address_size) == 0)))
        stays = flow->mode == COUNT ||
                (flow->mode == GATE &&
                 is_gated(flow, packet + header, payload, entry->level, now));
    flow->counters.kept_back += (uint64_t)stays;
    return !stays;
}

/* Up to MAX_READ datagrams of one socket. 0 when there is no room for more. */
static int read_line(struct hub *hub, struct line *line, struct entry *entries, double now)
{
    struct mmsghdr messages[MAX_READ];
    struct iovec parts[MAX_READ];
    struct sockaddr_in6 addresses[MAX_READ];
    uint8_t(*slots)[SLOT] = hub->slots + hub->slots_used;
    int i, count, limit = MAX_ENTRIES - hub->slots_used;
    if (limit > MAX_READ)
        limit = MAX_READ;
    if (limit == 0)
        return 0;
    memset(messages, 0, sizeof messages[0] * (size_t)limit);
    for (i = 0; i < limit; i++) {
        parts[i].iov_base = slots[i];
        parts[i].iov_len = SLOT;
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &addresses[i];
        messages[i].msg_hdr.msg_namelen = sizeof addresses[i];
    }
    count = recvmmsg(line->fd, messages, (unsigned)limit, MSG_DONTWAIT, NULL);
    for (i = 0; i < count; i++) {
        struct entry *entry = &entries[hub->entries];
        socklen_t size = messages[i].msg_hdr.msg_namelen;
        if (size > sizeof entry->address)
            size = sizeof entry->address;
        entry->data = slots[i];
        entry->size = messages[i].msg_len;
        entry->tag = line->tag;
        entry->address_size = (uint16_t)size;
        memcpy(entry->address, &addresses[i], size);
        entry->kind = REFUSED;
        if (!(messages[i].msg_hdr.msg_flags & MSG_TRUNC))
            intake_judge(line->peer->intake, slots[i], entry, 1);
        if (entry->kind == REFUSED) {
            hub->refused++;
        } else if (entry->kind != RTP || route(line, entry, now)) {
            hub->entries++;
            hub->slots_used = (int)(slots - hub->slots) + i + 1; /* those before it stay unused */
        }
    }
    return 1;
}

/* Take in what waits on any socket. Fills up to MAX_ENTRIES entries, whose bytes stay valid until
 * the next call; `*taken` says how many sockets had something. Never blocks. */
int dp_hub_read(struct hub *hub, struct entry *entries, int *taken)
{
    struct epoll_event events[MAX_EVENTS];
    struct timespec clock;
    double now;
    int i;
    hub->entries = hub->slots_used = 0;
    *taken = epoll_wait(hub->epoll_fd, events, MAX_EVENTS, 0);
    if (*taken < 0)
        *taken = 0;
    clock_gettime(CLOCK_MONOTONIC, &clock);
    now = (double)clock.tv_sec + (double)clock.tv_nsec / 1e9;
    for (i = 0; i < *taken; i++)
        if (!read_line(hub, events[i].data.ptr, entries, now))
            break; /* what waits longer comes with the next call */
    return hub->entries;
}
