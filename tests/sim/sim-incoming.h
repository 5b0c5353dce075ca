/* SPDX-License-Identifier: MIT */
#pragma once

/* The body of a large upload, of which only the size, the digest and the beginning are kept; and the content
 * of files that are downloaded, which is made as it is sent. */

#include "base/buf.h"

#define INCOMING_HELD_MAX (1U << 20)  /* a longer upload, or one in chunks, is passed on */
#define INCOMING_HEAD_MAX (64U << 10) /* of a multipart body: its metadata */
#define INCOMING_BLOCK    4096U

typedef struct evp_md_ctx_st Hash;

typedef struct SimIncoming {
        Hash *hash;
        uint64_t n;
        Buf head;
        bool is_bad; /* the bytes belong to no upload, or not here */
} SimIncoming;

Hash *hash_new(void);
Hash *hash_free(Hash *h);
void hash_add(Hash *h, const char *p, size_t n);
/* As in Google's File.sha256Hash: base64 of the digest in hex. */
void hash_text(const Hash *h, Buf *ret);

SimIncoming *incoming_new(void);
SimIncoming *incoming_free(SimIncoming *in);
void incoming_add(SimIncoming *in, const char *p, size_t n);

/* Appends the bytes from `at` on: each block of INCOMING_BLOCK bytes is its number, in 8 bytes (little
 * endian), again and again. */
void content_write(uint64_t at, size_t n, Buf *ret);
