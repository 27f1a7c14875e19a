/* Feeds the datapath's taking-in with packets that are nearly right, and its sending with any.
 *
 *   fuzz ITERATIONS SEED LIBCRYPTO
 *
 * Built with sanitizers (test_fuzz.py), so that a read or write outside a packet ends it. Packets lie
 * in memory of exactly their size. With -DLIBFUZZER it is a target for libFuzzer instead. */
#include "../../../video_bridge/datapath/c/srtp.c"
#include "../../../video_bridge/datapath/c/intake.c"
#include "../../../video_bridge/datapath/c/hub.c"
#include "../../../video_bridge/datapath/c/fanout.c"

#include <stdio.h>

#define SUITES 5
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static const uint8_t key[32] = {1, 2, 3, 4}, salt[14] = {5, 6, 7};
static uint64_t dice_state = 1;

static uint32_t dice(uint32_t sides) /* xorshift64* */
{
    dice_state ^= dice_state >> 12;
    dice_state ^= dice_state << 25;
    dice_state ^= dice_state >> 27;
    return (uint32_t)((dice_state * 2685821657736338717u) >> 33) % sides;
}

/* Take one packet in as a hub does. */
static void take(struct peer *peer, struct line *line, const uint8_t *data, int size, double now)
{
    uint8_t *packet = malloc(size ? (size_t)size : 1);
    struct entry entry = {0};
    memcpy(packet, data, (size_t)size);
    entry.data = packet;
    entry.size = (uint32_t)size;
    intake_judge(peer->intake, packet, &entry, 1);
    MUST(entry.size <= (uint32_t)size);
    MUST(entry.kind <= RTCP);
    if (entry.kind == RTP)
        route(line, &entry, now);
    free(packet);
}

static struct peer *peer_of(int suite)
{
    uint8_t quiet[256] = {0};
    struct peer *peer = dp_peer_new();
    MUST(peer != NULL);
    quiet[0xd5] = 1;
    MUST(dp_peer_keys(peer, suite, key, salt, 3) == 0);
    MUST(dp_peer_flow(peer, 0, 96, 90000, -1, NULL) == 0);
    MUST(dp_peer_flow(peer, 1, 8, 8000, 2, quiet) == 0);
    dp_peer_mode(peer, 0, COUNT);
    dp_peer_mode(peer, 1, GATE);
    return peer;
}

#ifdef LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct peer *peers[SUITES];
    struct line line = {0};
    int suite = size ? data[0] % SUITES : 0;
    if (crypto.ctx_new == NULL)
        MUST(dp_load_crypto("libcrypto.so.3") == 0);
    if (peers[suite] == NULL)
        peers[suite] = peer_of(suite);
    line.peer = peers[suite];
    line.is_expecting = 1;
    if (size > 1 && size < SLOT)
        take(peers[suite], &line, data + 1, (int)size - 1, 1.0);
    return 0;
}
#else

/* A packet as a peer sends it, with extension, CSRCs, padding and SRTP; its size. */
static int make(struct target *target, struct state *state, uint8_t *out)
{
    static const uint8_t extension[8] = {0xbe, 0xde, 0, 1, 0x30, 0x85, 0, 0};
    static struct departures departures;
    uint8_t payload[600];
    struct run run;
    int size = (int)dice(sizeof payload), i;
    target->extension_size = dice(2) ? sizeof extension : 0;
    memcpy(target->extension, extension, sizeof extension);
    target->departures = NULL;
    if (dice(2)) { /* numbered: 0x31, two bytes of any value */
        target->extension[4] = 0x31;
        dp_target_number(target, &departures, 5);
    }
    for (i = 0; i < size; i++)
        payload[i] = dice(4) ? 0xd5 : (uint8_t)dice(256);
    state->payload_type = dice(2) ? 96 : 8;
    if (dice(50) == 0)
        state->next_extended += dice(70000);
    dp_begin(&target, 1, &run, 1 + (int)dice(3), (uint64_t)size, dice(1u << 30), (int)dice(2),
             dice(1000));
    if (dice(4) == 0) { /* RTX on the same stream */
        size = dp_retransmit(target, &run, 0, (int)dice(2), payload, size, out);
        MUST(size > 0 && size <= MAX_PACKET);
        return size;
    }
    size = dp_build(&run, 0, (int)dice(2), payload, size, out);
    MUST(size > 0 && size <= MAX_PACKET);
    return size;
}

static int mutate(uint8_t *packet, int size)
{
    int changes = (int)dice(4), i;
    for (i = 0; i < changes && size > 0; i++)
        switch (dice(5)) {
        case 0: /* a header's byte: version, counts, lengths */
            packet[dice((uint32_t)(size < 20 ? size : 20))] = (uint8_t)dice(256);
            break;
        case 1:
            packet[dice((uint32_t)size)] ^= (uint8_t)(1u << dice(8));
            break;
        case 2:
            size = (int)dice((uint32_t)size + 1);
            break;
        case 3: /* RTCP, STUN, DTLS */
            packet[0] = (uint8_t)(dice(2) ? 0x80 : dice(128));
            if (size > 1)
                packet[1] = (uint8_t)(192 + dice(32));
            break;
        default:
            packet[size - 1] = (uint8_t)dice(256); /* padding's length, the tag */
        }
    return size;
}

int main(int count, char **words)
{
    long iterations = count > 1 ? atol(words[1]) : 100000, i;
    struct peer *peers[SUITES];
    struct target *targets[SUITES];
    struct state states[SUITES];
    struct run run;
    uint64_t batch;
    uint8_t packet[MAX_PACKET];
    int suite, of_batch, index;
    dice_state = count > 2 ? (uint64_t)atol(words[2]) + 1 : 1;
    MUST(dp_load_crypto(count > 3 ? words[3] : "libcrypto.so.3") == 0);
    memset(states, 0, sizeof states);
    for (suite = 0; suite < SUITES; suite++) {
        states[suite].ssrc = 7;
        states[suite].fd = -1;
        peers[suite] = peer_of(suite);
        targets[suite] = dp_target_new(suite, key, salt, salt, 0, &states[suite]);
        MUST(targets[suite] != NULL);
        MUST(dp_target_move(targets[suite], AF_INET, "127.0.0.1", 9, 0) == 0);
    }
    for (i = 0; i < iterations; i++) {
        struct line line = {0};
        suite = (int)dice(SUITES);
        line.peer = peers[suite];
        line.is_expecting = (int)dice(2);
        take(peers[suite], &line, packet, mutate(packet, make(targets[suite], &states[suite], packet)),
             (double)i / 100);
        index = dp_find(targets[suite], dice(65536), &run, &batch, &of_batch);
        MUST(index < 0 || index < of_batch);
    }
    for (suite = 0; suite < SUITES; suite++) {
        /* what is right still opens after all that */
        const struct counters *counters = dp_peer_counters(peers[suite], 0);
        MUST(iterations < 10000 || counters->starts > 0);
        dp_peer_free(peers[suite]);
        dp_target_free(targets[suite]);
    }
    printf("%ld packets\n", iterations);
    return 0;
}
#endif
