/* Fan-out of one batch of RTP payloads to many receivers.
 *
 * Per receiver: a header of its own, SRTP (RFC 3711 AES-CM with HMAC-SHA1, RFC 7714 AES-GCM), and
 * as few system calls as the kernel allows (UDP_SEGMENT, else sendmmsg). A plain shared library:
 * it needs neither Python.h nor OpenSSL's headers; libcrypto is looked up at run time. The twin in
 * Python (fanout.py) gives the same bytes, and tests hold the two together.
 *
 * Nothing here blocks, allocates per packet, or keeps a pointer of the caller's after it returns.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define DP_VERSION 1
#define MAX_GROUP 16          /* packets in one segmented send */
#define MAX_PACKET 1500       /* RTP packet with its tag */
#define MAX_EXTENSION 64
#define SHA_STATE 128         /* sizeof(SHA_CTX) is 96 in every OpenSSL */
#define CTRL_GET_TAG 0x10     /* EVP_CTRL_AEAD_GET_TAG */

enum suite { PLAIN = 0, CM_SHA1_80 = 1, CM_SHA1_32 = 2, GCM_128 = 3, GCM_256 = 4 };

/* --- libcrypto ---------------------------------------------------------------------------- */

static void *(*ctx_new)(void);
static void (*ctx_free)(void *);
static int (*enc_init)(void *, const void *, void *, const uint8_t *, const uint8_t *);
static int (*enc_update)(void *, uint8_t *, int *, const uint8_t *, int);
static int (*enc_final)(void *, uint8_t *, int *);
static int (*ctx_ctrl)(void *, int, int, void *);
static const void *(*aes_128_ctr)(void);
static const void *(*aes_256_ctr)(void);
static const void *(*aes_128_gcm)(void);
static const void *(*aes_256_gcm)(void);
static int (*sha1_init)(void *);
static int (*sha1_update)(void *, const void *, size_t);
static int (*sha1_final)(uint8_t *, void *);

static void *find(void *library, const char *name, int *missing)
{
    void *symbol = dlsym(library, name);
    if (symbol == NULL)
        *missing = 1;
    return symbol;
}

int dp_version(void) { return DP_VERSION; }

/* 0 when libcrypto was found with all that is needed, else -1: only plain RTP can be sent. */
int dp_load_crypto(const char *name)
{
    int missing = 0;
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return -1;
#define LOAD(variable, symbol) *(void **)(&variable) = find(library, symbol, &missing)
    LOAD(ctx_new, "EVP_CIPHER_CTX_new");
    LOAD(ctx_free, "EVP_CIPHER_CTX_free");
    LOAD(enc_init, "EVP_EncryptInit_ex");
    LOAD(enc_update, "EVP_EncryptUpdate");
    LOAD(enc_final, "EVP_EncryptFinal_ex");
    LOAD(ctx_ctrl, "EVP_CIPHER_CTX_ctrl");
    LOAD(aes_128_ctr, "EVP_aes_128_ctr");
    LOAD(aes_256_ctr, "EVP_aes_256_ctr");
    LOAD(aes_128_gcm, "EVP_aes_128_gcm");
    LOAD(aes_256_gcm, "EVP_aes_256_gcm");
    LOAD(sha1_init, "SHA1_Init");
    LOAD(sha1_update, "SHA1_Update");
    LOAD(sha1_final, "SHA1_Final");
#undef LOAD
    return missing ? -1 : 0;
}

/* --- targets ------------------------------------------------------------------------------ */

struct target {
    pthread_mutex_t lock; /* a resend may meet a send in another thread */
    struct sockaddr_storage address;
    socklen_t address_size;
    int suite;
    int tag_size;
    int no_gso; /* the route of this target refused segmentation */
    void *cipher;
    uint8_t salt[16];
    uint8_t inner[SHA_STATE], outer[SHA_STATE]; /* SHA-1 after the HMAC pads */
    uint8_t extension[MAX_EXTENSION];
    int extension_size;
};

/* One batch as one target gets it. Must match _Run in native.py. */
struct run {
    struct target *target;
    uint64_t first_extended; /* 48-bit packet index */
    uint32_t timestamp;
    uint32_t ssrc;
    int32_t fd;
    uint8_t payload_type;
    uint8_t marker_last;
    uint16_t failed; /* out */
};

void dp_target_free(struct target *target)
{
    if (target == NULL)
        return;
    if (target->cipher != NULL)
        ctx_free(target->cipher);
    pthread_mutex_destroy(&target->lock);
    memset(target, 0, sizeof *target);
    free(target);
}

/* AES-CM key derivation, RFC 3711 section 4.3.1 with a key derivation rate of zero. */
static int derive(const uint8_t *key, int key_size, const uint8_t salt[14], uint8_t label,
                  uint8_t *out, int size)
{
    static const uint8_t zeros[32];
    uint8_t iv[16] = {0};
    int done = 0, ok;
    void *ctx = ctx_new();
    if (ctx == NULL)
        return -1;
    memcpy(iv, salt, 14);
    iv[7] ^= label;
    ok = enc_init(ctx, key_size == 32 ? aes_256_ctr() : aes_128_ctr(), NULL, key, iv) == 1 &&
         enc_update(ctx, out, &done, zeros, size) == 1 && done == size;
    ctx_free(ctx);
    return ok ? 0 : -1;
}

static int start_hmac(struct target *target, const uint8_t key[20])
{
    uint8_t pad[64];
    int i;
    memset(pad, 0x36, sizeof pad);
    for (i = 0; i < 20; i++)
        pad[i] ^= key[i];
    if (sha1_init(target->inner) != 1 || sha1_update(target->inner, pad, sizeof pad) != 1)
        return -1;
    for (i = 0; i < 64; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    if (sha1_init(target->outer) != 1 || sha1_update(target->outer, pad, sizeof pad) != 1)
        return -1;
    return 0;
}

static int start_srtp(struct target *target, int suite, const uint8_t *key, const uint8_t *salt)
{
    static const int tags[] = {0, 10, 4, 16, 16};
    int key_size = suite == GCM_256 ? 32 : 16;
    int salt_size = suite >= GCM_128 ? 12 : 14;
    uint8_t master_salt[14] = {0}, session[32], auth[20];
    const void *kind = suite == GCM_256   ? aes_256_gcm()
                       : suite == GCM_128 ? aes_128_gcm()
                                          : aes_128_ctr();
    memcpy(master_salt, salt, salt_size); /* RFC 7714 section 11: 96 bits, padded with zeros */
    target->suite = suite;
    target->tag_size = tags[suite];
    target->cipher = ctx_new();
    if (target->cipher == NULL || derive(key, key_size, master_salt, 0, session, key_size) ||
        derive(key, key_size, master_salt, 2, target->salt, salt_size) ||
        enc_init(target->cipher, kind, NULL, session, NULL) != 1)
        return -1;
    if (suite < GCM_128 &&
        (derive(key, key_size, master_salt, 1, auth, 20) || start_hmac(target, auth)))
        return -1;
    memset(session, 0, sizeof session);
    return 0;
}

/* NULL when memory or libcrypto fails. */
struct target *dp_target_new(int suite, const uint8_t *key, const uint8_t *salt,
                             const uint8_t *extension, int extension_size)
{
    struct target *target;
    if (suite < PLAIN || suite > GCM_256 || extension_size < 0 || extension_size > MAX_EXTENSION)
        return NULL;
    if (suite != PLAIN && ctx_new == NULL)
        return NULL;
    target = calloc(1, sizeof *target);
    if (target == NULL)
        return NULL;
    pthread_mutex_init(&target->lock, NULL);
    memcpy(target->extension, extension, extension_size);
    target->extension_size = extension_size;
    if (suite != PLAIN && start_srtp(target, suite, key, salt)) {
        dp_target_free(target);
        return NULL;
    }
    return target;
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

/* --- one packet --------------------------------------------------------------------------- */

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static int put_header(const struct run *run, int index, int is_last, uint8_t *out)
{
    const struct target *target = run->target;
    out[0] = target->extension_size ? 0x90 : 0x80;
    out[1] = run->payload_type | (is_last && run->marker_last ? 0x80 : 0);
    put16(out + 2, (uint32_t)(run->first_extended + (uint64_t)index));
    put32(out + 4, run->timestamp);
    put32(out + 8, run->ssrc);
    memcpy(out + 12, target->extension, target->extension_size);
    return 12 + target->extension_size;
}

static int protect_gcm(struct target *target, uint32_t ssrc, uint64_t packet_index, uint8_t *packet,
                       int header, const uint8_t *payload, int size)
{
    uint8_t iv[12] = {0};
    int i, done = 0, rest = 0;
    put32(iv + 2, ssrc);
    put16(iv + 6, (uint32_t)(packet_index >> 32));
    put32(iv + 8, (uint32_t)packet_index);
    for (i = 0; i < 12; i++)
        iv[i] ^= target->salt[i];
    if (enc_init(target->cipher, NULL, NULL, NULL, iv) != 1 ||
        enc_update(target->cipher, NULL, &done, packet, header) != 1 ||
        enc_update(target->cipher, packet + header, &done, payload, size) != 1 ||
        enc_final(target->cipher, packet + header + done, &rest) != 1 ||
        ctx_ctrl(target->cipher, CTRL_GET_TAG, 16, packet + header + size) != 1)
        return -1;
    return header + size + 16;
}

static int protect_cm(struct target *target, uint32_t ssrc, uint64_t packet_index, uint8_t *packet,
                      int header, const uint8_t *payload, int size)
{
    uint8_t iv[16] = {0}, roll_over[4], digest[20], state[SHA_STATE];
    int i, done = 0;
    put32(iv + 4, ssrc);
    put16(iv + 8, (uint32_t)(packet_index >> 32));
    put32(iv + 10, (uint32_t)packet_index);
    for (i = 0; i < 14; i++)
        iv[i] ^= target->salt[i];
    if (enc_init(target->cipher, NULL, NULL, NULL, iv) != 1 ||
        enc_update(target->cipher, packet + header, &done, payload, size) != 1)
        return -1;
    put32(roll_over, (uint32_t)(packet_index >> 16));
    memcpy(state, target->inner, SHA_STATE);
    if (sha1_update(state, packet, header + size) != 1 || sha1_update(state, roll_over, 4) != 1 ||
        sha1_final(digest, state) != 1)
        return -1;
    memcpy(state, target->outer, SHA_STATE);
    if (sha1_update(state, digest, 20) != 1 || sha1_final(digest, state) != 1)
        return -1;
    memcpy(packet + header + size, digest, target->tag_size);
    return header + size + target->tag_size;
}

/* The whole packet into `packet`; its size, or -1. The target is locked. */
static int build(const struct run *run, int index, int is_last, const uint8_t *payload, int size,
                 uint8_t *packet)
{
    struct target *target = run->target;
    uint64_t packet_index = run->first_extended + (uint64_t)index;
    int header;
    if (12 + target->extension_size + size + target->tag_size > MAX_PACKET)
        return -1;
    header = put_header(run, index, is_last, packet);
    if (target->suite >= GCM_128)
        return protect_gcm(target, run->ssrc, packet_index, packet, header, payload, size);
    if (target->suite != PLAIN)
        return protect_cm(target, run->ssrc, packet_index, packet, header, payload, size);
    memcpy(packet + header, payload, size);
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
    return sendmsg(run->fd, &message, MSG_DONTWAIT) < 0 ? -1 : 0;
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
        taken = sendmmsg(run->fd, messages + sent, (unsigned)(count - sent), MSG_DONTWAIT);
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
