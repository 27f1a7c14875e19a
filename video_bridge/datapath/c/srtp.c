/* SRTP session keys and nonces (RFC 3711, RFC 7714), and the finding of libcrypto. */
#include "datapath.h"

#include <dlfcn.h>
#include <string.h>

struct crypto crypto;

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
#define LOAD(member, symbol) *(void **)(&crypto.member) = find(library, symbol, &missing)
    LOAD(ctx_new, "EVP_CIPHER_CTX_new");
    LOAD(ctx_free, "EVP_CIPHER_CTX_free");
    LOAD(enc_init, "EVP_EncryptInit_ex");
    LOAD(enc_update, "EVP_EncryptUpdate");
    LOAD(enc_final, "EVP_EncryptFinal_ex");
    LOAD(dec_init, "EVP_DecryptInit_ex");
    LOAD(dec_update, "EVP_DecryptUpdate");
    LOAD(dec_final, "EVP_DecryptFinal_ex");
    LOAD(ctx_ctrl, "EVP_CIPHER_CTX_ctrl");
    LOAD(aes_128_ctr, "EVP_aes_128_ctr");
    LOAD(aes_256_ctr, "EVP_aes_256_ctr");
    LOAD(aes_128_gcm, "EVP_aes_128_gcm");
    LOAD(aes_256_gcm, "EVP_aes_256_gcm");
    LOAD(sha1_init, "SHA1_Init");
    LOAD(sha1_update, "SHA1_Update");
    LOAD(sha1_final, "SHA1_Final");
#undef LOAD
    if (missing)
        memset(&crypto, 0, sizeof crypto);
    return missing ? -1 : 0;
}

/* AES-CM key derivation, RFC 3711 section 4.3.1 with a key derivation rate of zero. */
static int derive(const uint8_t *key, int key_size, const uint8_t salt[14], uint8_t label,
                  uint8_t *out, int size)
{
    static const uint8_t zeros[32];
    uint8_t iv[16] = {0};
    int done = 0, ok;
    void *ctx = crypto.ctx_new();
    if (ctx == NULL)
        return -1;
    memcpy(iv, salt, 14);
    iv[7] ^= label;
    ok = crypto.enc_init(ctx, key_size == 32 ? crypto.aes_256_ctr() : crypto.aes_128_ctr(), NULL,
                         key, iv) == 1 &&
         crypto.enc_update(ctx, out, &done, zeros, size) == 1 && done == size;
    crypto.ctx_free(ctx);
    return ok ? 0 : -1;
}

static int start_hmac(struct srtp *srtp, const uint8_t key[20])
{
    uint8_t pad[64];
    int i;
    memset(pad, 0x36, sizeof pad);
    for (i = 0; i < 20; i++)
        pad[i] ^= key[i];
    if (crypto.sha1_init(srtp->inner) != 1 || crypto.sha1_update(srtp->inner, pad, 64) != 1)
        return -1;
    for (i = 0; i < 64; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    if (crypto.sha1_init(srtp->outer) != 1 || crypto.sha1_update(srtp->outer, pad, 64) != 1)
        return -1;
    return 0;
}

int srtp_start(struct srtp *srtp, int suite, const uint8_t *key, const uint8_t *salt, int decrypts,
               enum label label)
{
    static const int tags[] = {0, 10, 4, 16, 16};
    int key_size = suite == GCM_256 ? 32 : 16;
    int salt_size = suite >= GCM_128 ? 12 : 14;
    uint8_t master_salt[14] = {0}, session[32], auth[20];
    const void *kind;
    int ok;
    memset(srtp, 0, sizeof *srtp);
    if (suite == PLAIN)
        return 0;
    if (crypto.ctx_new == NULL || (srtp->cipher = crypto.ctx_new()) == NULL)
        return -1;
    kind = suite == GCM_256   ? crypto.aes_256_gcm()
           : suite == GCM_128 ? crypto.aes_128_gcm()
                              : crypto.aes_128_ctr();
    memcpy(master_salt, salt, (size_t)salt_size); /* RFC 7714 section 11: padded with zeros */
    srtp->suite = suite;
    srtp->tag_size = tags[suite];
    if (label == FOR_RTCP && suite == CM_SHA1_32)
        srtp->tag_size = 10; /* RFC 3711 section 5.2, RFC 4568 section 6.2 */
    if (derive(key, key_size, master_salt, (uint8_t)label, session, key_size) ||
        derive(key, key_size, master_salt, (uint8_t)(label + 2), srtp->salt, salt_size))
        return -1;
    /* counter mode decrypts by encrypting */
    ok = decrypts && suite >= GCM_128
             ? crypto.dec_init(srtp->cipher, kind, NULL, session, NULL)
             : crypto.enc_init(srtp->cipher, kind, NULL, session, NULL);
    memset(session, 0, sizeof session);
    if (ok != 1)
        return -1;
    if (suite < GCM_128 &&
        (derive(key, key_size, master_salt, (uint8_t)(label + 1), auth, 20) || start_hmac(srtp, auth)))
        return -1;
    return 0;
}

void srtp_end(struct srtp *srtp)
{
    if (srtp->cipher != NULL)
        crypto.ctx_free(srtp->cipher);
    memset(srtp, 0, sizeof *srtp);
}

void srtp_gcm_iv(const struct srtp *srtp, uint32_t ssrc, uint64_t packet_index, uint8_t iv[12])
{
    int i;
    put16(iv, 0);
    put32(iv + 2, ssrc);
    put16(iv + 6, (uint32_t)(packet_index >> 32));
    put32(iv + 8, (uint32_t)packet_index);
    for (i = 0; i < 12; i++)
        iv[i] ^= srtp->salt[i];
}

void srtp_cm_iv(const struct srtp *srtp, uint32_t ssrc, uint64_t packet_index, uint8_t iv[16])
{
    int i;
    memset(iv, 0, 16);
    put32(iv + 4, ssrc);
    put16(iv + 8, (uint32_t)(packet_index >> 32));
    put32(iv + 10, (uint32_t)packet_index);
    for (i = 0; i < 14; i++)
        iv[i] ^= srtp->salt[i];
}

static int digest_of(const struct srtp *srtp, const uint8_t *packet, int size,
                     const uint8_t *more, int more_size, uint8_t digest[DIGEST])
{
    uint8_t state[SHA_STATE];
    memcpy(state, srtp->inner, SHA_STATE);
    if (crypto.sha1_update(state, packet, (size_t)size) != 1 ||
        crypto.sha1_update(state, more, (size_t)more_size) != 1 ||
        crypto.sha1_final(digest, state) != 1)
        return -1;
    memcpy(state, srtp->outer, SHA_STATE);
    if (crypto.sha1_update(state, digest, DIGEST) != 1 || crypto.sha1_final(digest, state) != 1)
        return -1;
    return 0;
}

int srtp_digest(const struct srtp *srtp, const uint8_t *packet, int size, uint64_t packet_index,
                uint8_t digest[DIGEST])
{
    uint8_t roll_over[4];
    put32(roll_over, (uint32_t)(packet_index >> 16));
    return digest_of(srtp, packet, size, roll_over, 4, digest);
}

int srtcp_digest(const struct srtp *srtp, const uint8_t *packet, int size, uint8_t digest[DIGEST])
{
    return digest_of(srtp, packet, size, packet, 0, digest);
}
