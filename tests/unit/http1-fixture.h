/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A connection of io/http1.c whose other end is the test's: a socketpair, with doubles of Transport and of
 * the functions of the work. The transport can hold bytes as TLS does, and give and take little at a time.
 */

#include "test.h"

#include "base/buf.h"
#include "io/http1.h"
#include "io/loop.h"

typedef struct Side {
        Loop *loop;
        Http1 *c;  /* NULL: freed */
        int fd;    /* the server's end; -1: closed */
        HttpWork w;
        char *headers[HTTP_CALL_HEADERS_MAX];

        /* The transport. */
        size_t read_max, write_max; /* of one call */
        bool is_tls;     /* what epoll does not show is held in `held` */
        bool is_endless; /* reads never end */
        bool swallows;   /* what comes is not for the reader */
        int write_error; /* of the next write; 0: none */
        Buf held;
        unsigned n_reads, n_writes, n_watches;
        size_t n_read; /* bytes */

        /* What the work has received. */
        Buf headers_seen, data;
        Buf sent; /* by the server's end, read from it */
        unsigned n_sent, n_ends, n_idle, n_closed;
        HttpWorkEnd end;
        char cause[HTTP_CAUSE_MAX];
        int head_error, data_error, header_error; /* of the next call */
        bool pauses;                              /* with the next data */
        bool frees; /* the connection, in idle() and closed() */

        const char *body; /* what http_work_read() gives */
        size_t n_body, n_body_given, body_max;
        bool body_ends; /* behind it; else there is none now */
        int body_error;
} Side;

int side_setup(void **state);
int side_teardown(void **state);
void side_renew(Side *s); /* another connection, with nothing received */

void side_begin(Side *s, const char *method, const char *body); /* a work, not started */
void side_begin_read(Side *s, size_t n_body);                   /* whose body is not held */
void side_start(Side *s, const char *method, const char *body);

void side_turn(Side *s);  /* one turn of the loop */
void side_turns(Side *s); /* until nothing happens; fails if that never is */

void side_send(Side *s, const void *p, size_t n); /* from the server's end */
void side_send_text(Side *s, const char *text);
void side_close(Side *s);
void side_receive(Side *s); /* what has come to the server's end: to `sent` */
void side_check_body(Side *s, const char *body, size_t n); /* what follows the head in `sent` */

char *side_text(size_t n); /* letters */

void side_fail_allocation(unsigned n); /* the n-th from now on; 0: none */
bool side_has_failed(void);            /* it did; none fails any more */
