/* Taking packets in: a batch of datagrams of one socket, SRTP opened, the audio level read.
 *
 * What is not RTP (STUN, DTLS, RTCP) is handed on as it came. The twin in Python is intake.py.
 */
#include "datapath.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define MAX_BATCH 32
#define MAX_SOURCES 16   /* SSRCs of one peer: camera, microphone, content, and their successors */
#define WINDOW 1024      /* packets back that replay protection remembers */
#define WINDOW_WORDS (WINDOW / 64)

struct source {
    uint32_t ssrc;
    int in_use;
    uint64_t used; /* for which to replace */
    uint64_t highest;
    uint64_t seen[WINDOW_WORDS]; /* bit i: index highest - i */
};

struct intake {
    struct srtp srtp, srtcp;
    int level_id; /* id of the RFC 6464 extension, 0: none */
    uint64_t clock;
    struct source sources[MAX_SOURCES], reporters[MAX_SOURCES];
};

/* Where datagrams land: the caller copies them before this thread's next call. */
static __thread uint8_t bytes[MAX_BATCH][SLOT];

struct intake *dp_intake_new(int suite, const uint8_t *key, const uint8_t *salt, int level_id)
{
    struct intake *intake;
    if (suite < PLAIN || suite > GCM_256)
        return NULL;
    intake = calloc(1, sizeof *intake);
    if (intake == NULL)
        return NULL;
    intake->level_id = level_id;
    if (srtp_start(&intake->srtp, suite, key, salt, 1, FOR_RTP) ||
        srtp_start(&intake->srtcp, suite, key, salt, 1, FOR_RTCP)) {
        dp_intake_free(intake);
        return NULL;
    }
    return intake;
}

void dp_intake_free(struct intake *intake)
{
    if (intake == NULL)
        return;
    srtp_end(&intake->srtp);
    srtp_end(&intake->srtcp);
    free(intake);
}

/* --- replay protection (RFC 3711 section 3.3.2) ------------------------------------------- */

static struct source *known_source(struct source *sources, uint32_t ssrc)
{
    int i;
    for (i = 0; i < MAX_SOURCES; i++)
        if (sources[i].in_use && sources[i].ssrc == ssrc)
            return &sources[i];
    return NULL;
}

/* The least recently used place; only called for packets that proved to be the peer's. */
static struct source *new_source(struct source *sources, uint32_t ssrc, uint64_t packet_index)
{
    struct source *oldest = &sources[0];
    int i;
    for (i = 0; i < MAX_SOURCES && oldest->in_use; i++)
        if (!sources[i].in_use || sources[i].used < oldest->used)
            oldest = &sources[i];
    memset(oldest, 0, sizeof *oldest);
    oldest->ssrc = ssrc;
    oldest->in_use = 1;
    oldest->highest = packet_index;
    return oldest;
}

/* The 48-bit index that is nearest to the highest seen (RFC 3711 section 3.3.1). */
static uint64_t guess_index(const struct source *source, uint32_t sequence)
{
    uint64_t roll_over, highest;
    if (source == NULL)
        return sequence;
    highest = source->highest & 0xffff;
    roll_over = source->highest >> 16;
    if (highest < 0x8000) {
        if (sequence > highest + 0x8000 && roll_over > 0)
            roll_over--;
    } else if (sequence < highest - 0x8000) {
        roll_over++;
    }
    return roll_over << 16 | sequence;
}

static int is_replayed(const struct source *source, uint64_t packet_index)
{
    uint64_t age;
    if (source == NULL || packet_index > source->highest)
        return 0;
    age = source->highest - packet_index;
    if (age >= WINDOW)
        return 1;
    return source->seen[age / 64] >> (age % 64) & 1;
}

static void remember(struct source *source, uint64_t packet_index)
{
    if (packet_index > source->highest) {
        uint64_t step = packet_index - source->highest;
        int words = (int)(step / 64), bits = (int)(step % 64), i;
        if (step >= WINDOW) {
            memset(source->seen, 0, sizeof source->seen);
        } else {
            for (i = WINDOW_WORDS - 1; i >= 0; i--) {
                uint64_t word = i >= words ? source->seen[i - words] << bits : 0;
                if (bits && i > words)
                    word |= source->seen[i - words - 1] >> (64 - bits);
                source->seen[i] = word;
            }
        }
        source->highest = packet_index;
    }
    {
        uint64_t age = source->highest - packet_index;
        source->seen[age / 64] |= (uint64_t)1 << (age % 64);
    }
}

/* --- one packet --------------------------------------------------------------------------- */

/* Size of header, CSRCs and extension, or -1. */
static int header_size(const uint8_t *packet, int size)
{
    int header;
    if (size < 12 || packet[0] >> 6 != 2)
        return -1;
    header = 12 + 4 * (packet[0] & 0x0f);
    if (packet[0] & 0x10) {
        if (size < header + 4)
            return -1;
        header += 4 + 4 * (int)get16(packet + header + 2);
    }
    return header <= size ? header : -1;
}

static int open_gcm(struct srtp *srtp, uint32_t ssrc, uint64_t packet_index, uint8_t *packet,
                    int header, int size)
{
    uint8_t iv[12];
    int body = size - header - srtp->tag_size, done = 0, rest = 0;
    srtp_gcm_iv(srtp, ssrc, packet_index, iv);
    if (crypto.dec_init(srtp->cipher, NULL, NULL, NULL, iv) != 1 ||
        crypto.dec_update(srtp->cipher, NULL, &done, packet, header) != 1 ||
        crypto.dec_update(srtp->cipher, packet + header, &done, packet + header, body) != 1 ||
        crypto.ctx_ctrl(srtp->cipher, CTRL_SET_TAG, 16, packet + header + body) != 1 ||
        crypto.dec_final(srtp->cipher, packet + header + body, &rest) != 1)
        return -1;
    return header + body;
}

static int open_cm(struct srtp *srtp, uint32_t ssrc, uint64_t packet_index, uint8_t *packet,
                   int header, int size)
{
    uint8_t iv[16], digest[DIGEST], differs = 0;
    int signed_size = size - srtp->tag_size, done = 0, i;
    if (srtp_digest(srtp, packet, signed_size, packet_index, digest))
        return -1;
    for (i = 0; i < srtp->tag_size; i++) /* in constant time */
        differs |= digest[i] ^ packet[signed_size + i];
    if (differs)
        return -1;
    srtp_cm_iv(srtp, ssrc, packet_index, iv);
    if (crypto.enc_init(srtp->cipher, NULL, NULL, NULL, iv) != 1 ||
        crypto.enc_update(srtp->cipher, packet + header, &done, packet + header,
                          signed_size - header) != 1)
        return -1;
    return signed_size;
}

/* The size of the opened packet, or -1 for forgery, replay and junk. */
static int open_packet(struct intake *intake, uint8_t *packet, int size)
{
    struct srtp *srtp = &intake->srtp;
    struct source *source;
    uint64_t packet_index;
    uint32_t ssrc;
    int header = header_size(packet, size), opened;
    if (header < 0)
        return -1;
    if (srtp->suite == PLAIN)
        return size;
    if (size < header + srtp->tag_size)
        return -1;
    ssrc = get32(packet + 8);
    source = known_source(intake->sources, ssrc);
    packet_index = guess_index(source, get16(packet + 2));
    if (is_replayed(source, packet_index))
        return -1;
    opened = srtp->suite >= GCM_128 ? open_gcm(srtp, ssrc, packet_index, packet, header, size)
                                    : open_cm(srtp, ssrc, packet_index, packet, header, size);
    if (opened < 0)
        return -1;
    if (source == NULL)
        source = new_source(intake->sources, ssrc, packet_index);
    source->used = ++intake->clock;
    remember(source, packet_index);
    return opened;
}

/* SRTCP (RFC 3711 section 3.4, RFC 7714 section 9) in place; the size of the RTCP packet, or -1.
 * What is not encrypted is refused, as libsrtp does. */
static int open_report(struct intake *intake, uint8_t *packet, int size)
{
    struct srtp *srtp = &intake->srtcp;
    struct source *source;
    uint32_t ssrc, word;
    uint8_t iv[16], digest[DIGEST], differs = 0;
    int is_gcm = srtp->suite >= GCM_128, trailer, body, done = 0, rest = 0, i;
    if (srtp->suite == PLAIN)
        return size;
    if (size < 8 + 4 + srtp->tag_size)
        return -1;
    trailer = is_gcm ? size - 4 : size - 4 - srtp->tag_size; /* where the index lies */
    word = get32(packet + trailer);
    if (!(word & 0x80000000u))
        return -1;
    ssrc = get32(packet + 4);
    source = known_source(intake->reporters, ssrc);
    if (is_replayed(source, word & 0x7fffffffu))
        return -1;
    if (is_gcm) {
        body = trailer - 8 - srtp->tag_size;
        srtp_gcm_iv(srtp, ssrc, word & 0x7fffffffu, iv);
        if (crypto.dec_init(srtp->cipher, NULL, NULL, NULL, iv) != 1 ||
            crypto.dec_update(srtp->cipher, NULL, &done, packet, 8) != 1 ||
            crypto.dec_update(srtp->cipher, NULL, &done, packet + trailer, 4) != 1 ||
            crypto.dec_update(srtp->cipher, packet + 8, &done, packet + 8, body) != 1 ||
            crypto.ctx_ctrl(srtp->cipher, CTRL_SET_TAG, 16, packet + 8 + body) != 1 ||
            crypto.dec_final(srtp->cipher, packet + 8 + body, &rest) != 1)
            return -1;
    } else {
        body = trailer - 8;
        if (srtcp_digest(srtp, packet, trailer + 4, digest))
            return -1;
        for (i = 0; i < srtp->tag_size; i++)
            differs |= digest[i] ^ packet[trailer + 4 + i];
        srtp_cm_iv(srtp, ssrc, word & 0x7fffffffu, iv);
        if (differs || crypto.enc_init(srtp->cipher, NULL, NULL, NULL, iv) != 1 ||
            crypto.enc_update(srtp->cipher, packet + 8, &done, packet + 8, body) != 1)
            return -1;
    }
    if (source == NULL)
        source = new_source(intake->reporters, ssrc, word & 0x7fffffffu);
    source->used = ++intake->clock;
    remember(source, word & 0x7fffffffu);
    return 8 + body;
}

/* RFC 6464 in the one-byte form of RFC 8285. */
static int8_t level_of(const struct intake *intake, const uint8_t *packet, int size)
{
    int at = 12 + 4 * (packet[0] & 0x0f), end;
    if (intake->level_id == 0 || !(packet[0] & 0x10) || get16(packet + at) != 0xbede)
        return NO_LEVEL;
    end = at + 4 + 4 * (int)get16(packet + at + 2);
    if (end > size)
        return NO_LEVEL;
    for (at += 4; at < end;) {
        int id = packet[at] >> 4, length = (packet[at] & 0x0f) + 1;
        if (packet[at] == 0) {
            at++;
            continue;
        }
        if (id == 15 || at + 1 + length > end)
            break;
        if (id == intake->level_id)
            return (int8_t)-(packet[at + 1] & 0x7f);
        at += 1 + length;
    }
    return NO_LEVEL;
}

void intake_judge(struct intake *intake, uint8_t *packet, struct entry *entry, int opens_rtcp)
{
    int size = (int)entry->size, opened;
    entry->kind = OTHER;
    entry->level = NO_LEVEL;
    if (size < 2 || packet[0] < 128 || packet[0] > 191)
        return; /* RFC 7983 */
    if (packet[1] >= 192 && packet[1] <= 223) { /* RFC 5761 */
        if (!opens_rtcp)
            return;
        opened = open_report(intake, packet, size);
        entry->kind = opened < 0 ? REFUSED : RTCP;
        if (opened >= 0)
            entry->size = (uint32_t)opened;
        return;
    }
    opened = open_packet(intake, packet, size);
    entry->kind = opened < 0 ? REFUSED : RTP;
    if (opened >= 0) {
        entry->size = (uint32_t)opened;
        entry->level = level_of(intake, packet, opened);
    }
}

/* Up to `limit` datagrams; their bytes stay valid until this thread's next call. 0 when none waits or the
 * socket fails. Never blocks. */
int dp_intake_read(struct intake *intake, int fd, struct entry *entries, int limit)
{
    struct mmsghdr messages[MAX_BATCH];
    struct iovec parts[MAX_BATCH];
    struct sockaddr_in6 addresses[MAX_BATCH];
    int i, count;
    if (limit > MAX_BATCH)
        limit = MAX_BATCH;
    memset(messages, 0, sizeof messages[0] * (size_t)limit);
    for (i = 0; i < limit; i++) {
        parts[i].iov_base = bytes[i];
        parts[i].iov_len = SLOT;
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &addresses[i];
        messages[i].msg_hdr.msg_namelen = sizeof addresses[i];
    }
    count = recvmmsg(fd, messages, (unsigned)limit, MSG_DONTWAIT, NULL);
    if (count < 0)
        return 0;
    for (i = 0; i < count; i++) {
        struct entry *entry = &entries[i];
        socklen_t size = messages[i].msg_hdr.msg_namelen;
        if (size > sizeof entry->address)
            size = sizeof entry->address;
        entry->data = bytes[i];
        entry->tag = 0;
        entry->size = messages[i].msg_len;
        entry->address_size = (uint16_t)size;
        memcpy(entry->address, &addresses[i], size);
        if (messages[i].msg_hdr.msg_flags & MSG_TRUNC) {
            entry->kind = REFUSED;
            entry->level = NO_LEVEL;
        } else {
            intake_judge(intake, bytes[i], entry, 0);
        }
    }
    return count;
}
