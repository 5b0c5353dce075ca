/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A connection of HTTP/2 whose other end is the test: a socket pair, frames byte by byte, and works and a
 * transport that the test looks into. Used by the unit tests and by the fuzzer.
 */

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "io/http2.h"

#define WORKS_MAX 300U
#define SECRET "secret-AIza0123456789"

#define MUST(condition)                                                                           \
        do {                                                                                      \
                if (!(condition)) {                                                               \
                        (void) fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);    \
                        abort();                                                                  \
                }                                                                                 \
        } while (0)

struct Transport {
        int fd;
        size_t read_max, write_max; /* bytes of one call; 0: any */
        bool jammed;                /* takes nothing */
        bool broken;                /* a write fails */
        bool hides;                 /* as TLS: has all that came, so that epoll shows nothing */
        Buf hidden;
        unsigned n_reads, n_writes;
};

/* What has become of a work. */
typedef struct Work {
        HttpWork w;
        Buf body, lines;
        unsigned n_sent, n_ends;
        HttpWorkEnd end;
        char cause[HTTP_CAUSE_MAX];
        bool fail_header, fail_head, fail_data; /* each aborts it */
        bool cancelled;
        const char *upload; /* what it reads its body from */
        size_t n_upload, n_ready, n_read;
        int read_error;
} Work;

typedef struct Frame {
        unsigned type, flags;
        int32_t stream;
        size_t n;
        const unsigned char *p;
} Frame;

typedef struct World {
        Loop *loop;
        Http2 *c;
        Transport *transport;
        int fd;     /* the server's end */
        Buf in;     /* what the server has received and not looked at */
        bool preface;
        bool has_settings;
        bool closed;
        unsigned n_room;
        Secret *secret;
        Work works[WORKS_MAX];
        unsigned n_works;
} World;

void world_begin(World *w);
void world_prepare(World *w); /* its first half; then world_open(), as http2_new() */
int world_open(World *w);
void world_end(World *w);
void world_turn(World *w); /* until nothing is left to do */

Work *world_work(World *w); /* a GET */
int world_start(World *w, Work *k);
Work *world_get(World *w); /* started */
void work_upload(Work *k, const char *p, size_t n, size_t n_promised); /* a POST whose body is read */
void world_cancel(World *w, Work *k);

/* --- the server's frames --- */
void world_send(World *w, const void *p, size_t n);
void world_frame(World *w, unsigned type, unsigned flags, int32_t stream, const void *p, size_t n);
void frame_put(Buf *b, unsigned type, unsigned flags, int32_t stream, const void *p, size_t n);
void header_put(Buf *b, const char *name, const char *value); /* a literal line of a header block */
void world_head(World *w, int32_t stream, const char *status, bool end);
void world_data(World *w, int32_t stream, const char *text, bool end);
void world_settings(World *w, unsigned id, uint32_t value); /* id 0: none */

/* The next frame that the client has sent; false: none. */
bool world_next(World *w, Frame *ret);
uint32_t frame_number(const Frame *f); /* its first four bytes */
/* The next one of a type; those before it are dropped. */
bool world_find(World *w, unsigned type, Frame *ret);
