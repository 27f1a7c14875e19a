/* Fan-out of one batch of RTP payloads to many receivers.
 *
 * Per receiver: a header of its own, SRTP (RFC 3711 AES-CM with HMAC-SHA1, RFC 7714 AES-GCM), and
 * as few system calls as the kernel allows (UDP_SEGMENT, else sendmmsg). The twin in Python
 * (fanout.py) gives the same bytes, and tests hold the two together.
 *
 * Nothing here blocks, allocates per packet, or keeps a pointer of the caller's after it returns.
 */
#include "datapath.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define MAX_GROUP 16    /* packets in one segmented send */
#define MAX_PACKET 1500 /* RTP packet with its tag */
#define MAX_EXTENSION 64

/* --- targets ------------------------------------------------------------------------------ */

#define MAX_SENT 512 /* frames whose packets can be sent again */

/* What the caller sees of a target, in memory of his. Must match State in target.py. */
struct state {
    uint64_t next_extended, packets_sent, octets_sent;
    double sent_at; /* CLOCK_MONOTONIC */
    uint32_t last_timestamp, has_sent, ssrc, ts_offset;
    int32_t fd; /* -1: closed */
    uint32_t payload_type;
};

/* One batch as a target got it. */
struct sent {
    uint64_t first_extended, batch;
    uint32_t timestamp;
    uint16_t count;
    uint8_t payload_type, marker_last;
    uint32_t first_number;
};

#define MAX_DEPARTED 2048

/* Transport-wide numbers of all streams of a leg, and when each packet left: memory of the caller's.
 * Must match Log in departures.py. */
struct departed {
    uint32_t number, octets;
    uint64_t at_us; /* CLOCK_MONOTONIC */
};

struct departures {
    uint64_t next;
    struct departed departed[MAX_DEPARTED];
};

struct target {
    pthread_mutex_t lock; /* a resend may meet a send in another thread */
    struct sockaddr_storage address;
    socklen_t address_size;
    int no_gso; /* the route of this target refused segmentation */
    struct srtp srtp;
    uint8_t extension[MAX_EXTENSION];
    int extension_size;
    int number_at; /* where in the extension a packet's transport-wide number lies */
    struct departures *departures; /* NULL: packets carry none */
    struct state *state;
    uint64_t sent_count;
    struct sent sent[MAX_SENT]; /* batch n lies at n % MAX_SENT */
};

/* One batch as one target gets it. Must match _Run in native.py. */
struct run {
    struct target *target;
    uint64_t first_extended; /* 48-bit packet index */
    uint32_t timestamp;
    uint32_t ssrc;
    uint8_t payload_type;
    uint8_t marker_last;
    uint16_t failed; /* out */
    uint32_t first_number;
};

void dp_target_free(struct target *target)
{
    if (target == NULL)
        return;
    srtp_end(&target->srtp);
    pthread_mutex_destroy(&target->lock);
    memset(target, 0, sizeof *target);
    free(target);
}

/* NULL when memory or libcrypto fails. */
struct target *dp_target_new(int suite, const uint8_t *key, const uint8_t *salt,
                             const uint8_t *extension, int extension_size, struct state *state)
{
    struct target *target;
    if (suite < PLAIN || suite > GCM_256 || extension_size < 0 || extension_size > MAX_EXTENSION)
        return NULL;
    target = calloc(1, sizeof *target);
    if (target == NULL)
        return NULL;
    pthread_mutex_init(&target->lock, NULL);
    memcpy(target->extension, extension, (size_t)extension_size);
    target->extension_size = extension_size;
    target->state = state;
    if (srtp_start(&target->srtp, suite, key, salt, 0, FOR_RTP)) {
        dp_target_free(target);
        return NULL;
    }
    return target;
}

/* Number the packets from now on, two bytes at `number_at` of the extension. */
void dp_target_number(struct target *target, struct departures *departures, int number_at)
{
    if (number_at >= 0 && number_at + 2 <= target->extension_size) {
        target->departures = departures;
        target->number_at = number_at;
    }
}

/* Send to another address from now on; `host` is numeric. 0, or -1 when it is not. */
int dp_target_move(struct target *target, int family, const char *host, int port, int scope)
{
    struct sockaddr_storage address;
    int ok;
    memset(&address, 0, sizeof address);
    if (family == AF_INET6) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address;
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)port);
        six->sin6_scope_id = (uint32_t)scope;
        ok = inet_pton(AF_INET6, host, &six->sin6_addr) == 1;
    } else {
        struct sockaddr_in *four = (struct sockaddr_in *)&address;
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)port);
        ok = inet_pton(AF_INET, host, &four->sin_addr) == 1;
    }
    if (!ok)
        return -1;
    pthread_mutex_lock(&target->lock);
    target->address = address;
    target->address_size =
        family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    target->no_gso = 0;
    pthread_mutex_unlock(&target->lock);
    return 0;
}

/* --- transport-wide numbers ----------------------------------------------------------------- */

/* The first of `count` numbers that follow each other. */
static uint32_t take_numbers(struct target *target, int count)
{
    if (target->departures == NULL)
        return 0;
    return (uint32_t)__atomic_fetch_add(&target->departures->next, (uint64_t)count,
                                        __ATOMIC_RELAXED);
}

/* A packet leaves now; sent again as it was, its first time counts. */
static void note_departure(struct target *target, uint32_t number, int size)
{
    struct departed *place = &target->departures->departed[number % MAX_DEPARTED];
    struct timespec clock;
    if (place->number == number)
        return;
    clock_gettime(CLOCK_MONOTONIC, &clock);
    place->at_us = (uint64_t)clock.tv_sec * 1000000 + (uint64_t)clock.tv_nsec / 1000;
    place->octets = (uint32_t)size;
    place->number = number;
}

/* --- batches ------------------------------------------------------------------------------ */

/* Give a batch of `count` packets its sequence numbers with every target; fills `runs`. What is sent
 * in between (another batch, a resend) has numbers of its own. */
void dp_begin(struct target *const *targets, int target_count, struct run *runs, int count,
              uint64_t octets, uint32_t timestamp, int marker_last, uint64_t batch)
{
    struct timespec clock;
    double now;
    int i;
    clock_gettime(CLOCK_MONOTONIC, &clock);
    now = (double)clock.tv_sec + (double)clock.tv_nsec / 1e9;
    for (i = 0; i < target_count; i++) {
        struct target *target = targets[i];
        struct state *state = target->state;
        struct sent *sent;
        pthread_mutex_lock(&target->lock);
        sent = &target->sent[target->sent_count++ % MAX_SENT];
        sent->first_extended = state->next_extended;
        sent->batch = batch;
        sent->timestamp = timestamp + state->ts_offset;
        sent->count = (uint16_t)count;
        sent->payload_type = (uint8_t)state->payload_type;
        sent->marker_last = (uint8_t)marker_last;
        sent->first_number = take_numbers(target, count);
        state->next_extended += (uint64_t)count;
        state->packets_sent += (uint64_t)count;
        state->octets_sent += octets;
        state->last_timestamp = sent->timestamp;
        state->has_sent = 1;
        state->sent_at = now;
        runs[i].target = target;
        runs[i].first_extended = sent->first_extended;
        runs[i].timestamp = sent->timestamp;
        runs[i].ssrc = state->ssrc;
        runs[i].payload_type = sent->payload_type;
        runs[i].marker_last = sent->marker_last;
        runs[i].failed = 0;
        runs[i].first_number = sent->first_number;
        pthread_mutex_unlock(&target->lock);
    }
}

/* The newest batch that held this sequence number: fills `run`, `batch` and `count`, gives the
 * packet's place in it; -1 when it is not known (any more). */
int dp_find(struct target *target, uint32_t sequence, struct run *run, uint64_t *batch, int *count)
{
    int found = -1;
    uint64_t back, known;
    pthread_mutex_lock(&target->lock);
    known = target->sent_count < MAX_SENT ? target->sent_count : MAX_SENT;
    for (back = 1; back <= known && found < 0; back++) {
        const struct sent *sent = &target->sent[(target->sent_count - back) % MAX_SENT];
        uint32_t index = (sequence - (uint32_t)sent->first_extended) & 0xffff;
        if (index >= sent->count)
            continue;
        run->target = target;
        run->first_extended = sent->first_extended;
        run->timestamp = sent->timestamp;
        run->ssrc = target->state->ssrc;
        run->payload_type = sent->payload_type;
        run->marker_last = sent->marker_last;
        run->first_number = sent->first_number;
        *batch = sent->batch;
        *count = sent->count;
        found = (int)index;
    }
    pthread_mutex_unlock(&target->lock);
    return found;
}

/* --- one packet --------------------------------------------------------------------------- */

static int put_header(const struct run *run, int index, int is_last, uint8_t *out)
{
    const struct target *target = run->target;
    out[0] = target->extension_size ? 0x90 : 0x80;
    out[1] = run->payload_type | (is_last && run->marker_last ? 0x80 : 0);
    put16(out + 2, (uint32_t)(run->first_extended + (uint64_t)index));
    put32(out + 4, run->timestamp);
    put32(out + 8, run->ssrc);
    memcpy(out + 12, target->extension, (size_t)target->extension_size);
    if (target->departures != NULL)
        put16(out + 12 + target->number_at, run->first_number + (uint32_t)index);
    return 12 + target->extension_size;
}

static int protect_gcm(struct srtp *srtp, uint32_t ssrc, uint64_t packet_index, uint8_t *packet,
                       int header, const uint8_t *payload, int size)
{
    uint8_t iv[12];
    int done = 0, rest = 0;
    srtp_gcm_iv(srtp, ssrc, packet_index, iv);
    if (crypto.enc_init(srtp->cipher, NULL, NULL, NULL, iv) != 1 ||
        crypto.enc_update(srtp->cipher, NULL, &done, packet, header) != 1 ||
        crypto.enc_update(srtp->cipher, packet + header, &done, payload, size) != 1 ||
        crypto.enc_final(srtp->cipher, packet + header + done, &rest) != 1 ||
        crypto.ctx_ctrl(srtp->cipher, CTRL_GET_TAG, 16, packet + header + size) != 1)
        return -1;
    return header + size + 16;
}

static int protect_cm(struct srtp *srtp, uint32_t ssrc, uint64_t packet_index, uint8_t *packet,
                      int header, const uint8_t *payload, int size)
{
    uint8_t iv[16], digest[DIGEST];
    int done = 0;
    srtp_cm_iv(srtp, ssrc, packet_index, iv);
    if (crypto.enc_init(srtp->cipher, NULL, NULL, NULL, iv) != 1 ||
        crypto.enc_update(srtp->cipher, packet + header, &done, payload, size) != 1 ||
        srtp_digest(srtp, packet, header + size, packet_index, digest))
        return -1;
    memcpy(packet + header + size, digest, (size_t)srtp->tag_size);
    return header + size + srtp->tag_size;
}

/* The whole packet into `packet`; its size, or -1. The target is locked. */
static int build(const struct run *run, int index, int is_last, const uint8_t *payload, int size,
                 uint8_t *packet)
{
    struct target *target = run->target;
    uint64_t packet_index = run->first_extended + (uint64_t)index;
    int header;
    if (12 + target->extension_size + size + target->srtp.tag_size > MAX_PACKET)
        return -1;
    header = put_header(run, index, is_last, packet);
    if (target->departures != NULL)
        note_departure(target, run->first_number + (uint32_t)index, header + size);
    if (target->srtp.suite >= GCM_128)
        return protect_gcm(&target->srtp, run->ssrc, packet_index, packet, header, payload, size);
    if (target->srtp.suite != PLAIN)
        return protect_cm(&target->srtp, run->ssrc, packet_index, packet, header, payload, size);
    memcpy(packet + header, payload, (size_t)size);
    return header + size;
}

/* One packet of a run, for a transport that is not a socket. Its size, or -1. */
int dp_build(const struct run *run, int index, int is_last, const uint8_t *payload, int size,
             uint8_t *out)
{
    int built;
    pthread_mutex_lock(&run->target->lock);
    built = build(run, index, is_last, payload, size, out);
    pthread_mutex_unlock(&run->target->lock);
    return built;
}

/* --- sending ------------------------------------------------------------------------------ */

static int send_segmented(const struct run *run, uint8_t *bytes, size_t size, int segment)
{
    char control[CMSG_SPACE(sizeof(uint16_t))] = {0};
    struct iovec part = {bytes, size};
    struct msghdr message = {0};
    struct cmsghdr *head;
    uint16_t segment_size = (uint16_t)segment;
    message.msg_name = &run->target->address;
    message.msg_namelen = run->target->address_size;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_UDP;
    head->cmsg_type = UDP_SEGMENT;
    head->cmsg_len = CMSG_LEN(sizeof segment_size);
    memcpy(CMSG_DATA(head), &segment_size, sizeof segment_size);
    return sendmsg(run->target->state->fd, &message, MSG_DONTWAIT) < 0 ? -1 : 0;
}

/* How many of the `count` packets the kernel took. */
static int send_single(const struct run *run, uint8_t *bytes, const int *sizes, int count)
{
    struct mmsghdr messages[MAX_GROUP];
    struct iovec parts[MAX_GROUP];
    int i, sent = 0, taken;
    memset(messages, 0, sizeof messages[0] * (size_t)count);
    for (i = 0; i < count; i++) {
        parts[i].iov_base = bytes;
        parts[i].iov_len = (size_t)sizes[i];
        bytes += sizes[i];
        messages[i].msg_hdr.msg_name = &run->target->address;
        messages[i].msg_hdr.msg_namelen = run->target->address_size;
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    while (sent < count) {
        taken = sendmmsg(run->target->state->fd, messages + sent, (unsigned)(count - sent), MSG_DONTWAIT);
        if (taken <= 0)
            break;
        sent += taken;
    }
    return sent;
}

/* Send `count` built packets, all of one size but the last, which may be shorter. */
static int send_group(const struct run *run, uint8_t *bytes, const int *sizes, int count)
{
    size_t total = 0;
    int i;
    for (i = 0; i < count; i++)
        total += (size_t)sizes[i];
    if (count > 1 && !run->target->no_gso) {
        if (send_segmented(run, bytes, total, sizes[0]) == 0)
            return count;
        if (errno != EIO && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOPROTOOPT)
            return 0; /* a full buffer or no route: single packets would fare no better */
        run->target->no_gso = 1;
    }
    return send_single(run, bytes, sizes, count);
}

static int send_run(struct run *run, const uint8_t *const *payloads, const int32_t *sizes,
                    int count, int first, int last)
{
    uint8_t bytes[MAX_GROUP * MAX_PACKET];
    int built[MAX_GROUP];
    int sent = 0, index = first;
    while (index < last) {
        int in_group = 0;
        size_t filled = 0;
        while (index < last && in_group < MAX_GROUP) {
            int size;
            /* a group ends behind a packet shorter than its first and before a longer one */
            if (in_group > 0 && (built[in_group - 1] < built[0] || sizes[index] > sizes[index - 1]))
                break;
            size = build(run, index, index == count - 1, payloads[index], sizes[index],
                         bytes + filled);
            index++;
            if (size < 0)
                break; /* counted as failed; the next packet begins a new group */
            built[in_group++] = size;
            filled += (size_t)size;
        }
        if (in_group > 0)
            sent += send_group(run, bytes, built, in_group);
    }
    return sent;
}

/* Packets first..last-1 of the batch to every run's target; how many the kernel took in all.
 * Each run's `failed` says how many of its own it did not. */
int dp_send(struct run *runs, int run_count, const uint8_t *const *payloads, const int32_t *sizes,
            int count, int first, int last)
{
    int i, total = 0;
    for (i = 0; i < run_count; i++) {
        int sent;
        pthread_mutex_lock(&runs[i].target->lock);
        sent = send_run(&runs[i], payloads, sizes, count, first, last);
        pthread_mutex_unlock(&runs[i].target->lock);
        runs[i].failed = (uint16_t)(last - first - sent);
        total += sent;
    }
    return total;
}

/* Packet `index` of a run again on the stream of `rtx` (RFC 4588 section 4): a number of its own, the
 * old one before the payload. Into `out` where the target has no socket. Its size, or -1. */
int dp_retransmit(struct target *rtx, const struct run *run, int index, int is_last,
                  const uint8_t *payload, int size, uint8_t *out)
{
    uint8_t packet[MAX_PACKET], body[MAX_PACKET];
    struct state *state = rtx->state;
    struct timespec clock;
    struct run again = *run;
    int built;
    if (size < 0 || size + 2 > MAX_PACKET)
        return -1;
    put16(body, (uint32_t)(run->first_extended + (uint64_t)index));
    memcpy(body + 2, payload, (size_t)size);
    clock_gettime(CLOCK_MONOTONIC, &clock);
    pthread_mutex_lock(&rtx->lock);
    again.target = rtx;
    again.first_extended = state->next_extended++;
    again.ssrc = state->ssrc;
    again.payload_type = (uint8_t)state->payload_type;
    again.first_number = take_numbers(rtx, 1);
    state->packets_sent++;
    state->octets_sent += (uint64_t)size + 2;
    state->last_timestamp = run->timestamp;
    state->has_sent = 1;
    state->sent_at = (double)clock.tv_sec + (double)clock.tv_nsec / 1e9;
    built = build(&again, 0, is_last, body, size + 2, out != NULL ? out : packet);
    if (built > 0 && out == NULL && send_single(&again, packet, &built, 1) != 1)
        built = -1;
    pthread_mutex_unlock(&rtx->lock);
    return built;
}
