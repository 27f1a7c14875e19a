/* What the sources of the C datapath share. A plain shared library: neither Python.h nor OpenSSL's
 * headers are needed; libcrypto is looked up at run time. */
#ifndef DATAPATH_H
#define DATAPATH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define DP_VERSION 5
#define SHA_STATE 128    /* sizeof(SHA_CTX) is 96 in every OpenSSL */
#define MAX_TAG 16
#define DIGEST 20
#define CTRL_GET_TAG 0x10 /* EVP_CTRL_AEAD_GET_TAG */
#define CTRL_SET_TAG 0x11 /* EVP_CTRL_AEAD_SET_TAG */

enum suite { PLAIN = 0, CM_SHA1_80 = 1, CM_SHA1_32 = 2, GCM_128 = 3, GCM_256 = 4 };

/* The session keys of one direction of SRTP or SRTCP. */
struct srtp {
    int suite;
    int tag_size;
    void *cipher;
    uint8_t salt[16];
    uint8_t inner[SHA_STATE], outer[SHA_STATE]; /* SHA-1 after the HMAC pads */
};

/* libcrypto, found by dp_load_crypto */
struct crypto {
    void *(*ctx_new)(void);
    void (*ctx_free)(void *);
    int (*enc_init)(void *, const void *, void *, const uint8_t *, const uint8_t *);
    int (*enc_update)(void *, uint8_t *, int *, const uint8_t *, int);
    int (*enc_final)(void *, uint8_t *, int *);
    int (*dec_init)(void *, const void *, void *, const uint8_t *, const uint8_t *);
    int (*dec_update)(void *, uint8_t *, int *, const uint8_t *, int);
    int (*dec_final)(void *, uint8_t *, int *);
    int (*ctx_ctrl)(void *, int, int, void *);
    const void *(*aes_128_ctr)(void);
    const void *(*aes_256_ctr)(void);
    const void *(*aes_128_gcm)(void);
    const void *(*aes_256_gcm)(void);
    int (*sha1_init)(void *);
    int (*sha1_update)(void *, const void *, size_t);
    int (*sha1_final)(uint8_t *, void *);
};
extern struct crypto crypto;

/* RFC 3711 section 4.3.2: the labels of a stream's three session keys follow each other */
enum label { FOR_RTP = 0, FOR_RTCP = 3 };

/* Derive session keys; `decrypts` for what is received. 0, or -1 when libcrypto fails. */
int srtp_start(struct srtp *srtp, int suite, const uint8_t *key, const uint8_t *salt, int decrypts,
               enum label label);
void srtp_end(struct srtp *srtp);

/* `packet_index` is the 48-bit index: roll-over counter and sequence number. */
void srtp_gcm_iv(const struct srtp *srtp, uint32_t ssrc, uint64_t packet_index, uint8_t iv[12]);
void srtp_cm_iv(const struct srtp *srtp, uint32_t ssrc, uint64_t packet_index, uint8_t iv[16]);

/* HMAC-SHA1 of the packet and its roll-over counter; 0 or -1. */
int srtp_digest(const struct srtp *srtp, const uint8_t *packet, int size, uint64_t packet_index,
                uint8_t digest[DIGEST]);
int srtcp_digest(const struct srtp *srtp, const uint8_t *packet, int size, uint8_t digest[DIGEST]);

/* --- taking in ------------------------------------------------------------------------------ */

#define SLOT 2048 /* bytes for one datagram; a longer one is cut and so refused */
#define NO_LEVEL 127

enum kind { OTHER = 0, RTP = 1, REFUSED = 2, RTCP = 3 };

/* One datagram. Must match _Entry in native_intake.py. */
struct entry {
    const uint8_t *data;
    uint32_t size;
    uint8_t kind;
    int8_t level; /* dBov, NO_LEVEL where none was told */
    uint16_t address_size;
    uint8_t address[28]; /* sockaddr_in or sockaddr_in6 */
    uint32_t tag;        /* of the socket, where a hub reads many */
};

struct intake;
struct intake *dp_intake_new(int suite, const uint8_t *key, const uint8_t *salt, int level_id);
void dp_intake_free(struct intake *intake);

/* Open what lies in `packet` (`entry->size` bytes) and say what it is; with `opens_rtcp` RTCP too. */
void intake_judge(struct intake *intake, uint8_t *packet, struct entry *entry, int opens_rtcp);

static inline void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static inline uint32_t get16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

static inline uint32_t get32(const uint8_t *at) { return get16(at) << 16 | get16(at + 2); }

#endif
