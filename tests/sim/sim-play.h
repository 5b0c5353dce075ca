/* SPDX-License-Identifier: MIT */
#pragma once

/* Sends one answer on one connection as the action describes: late, paced, in single bytes, or cut off. */

#include "sim-answer.h"
#include "sim-http.h"

typedef struct Play Play;

struct Play {
        Loop *loop;
        Conn *conn;
        Timer timer; /* the delay before everything, or the next event */
        Action *action;
        Answer *answer;
        Buf stream_error; /* of ENDING_ERROR */
        bool chunked;
        bool began;   /* the delay is over */
        bool headed;  /* the head was written */
        bool hanging; /* nothing more will come */
        uint64_t next;
        uint64_t after; /* where the ending comes */
        usec_t due;
};

/* Takes over both references. */
void play_start(Play *p, Loop *l, Conn *c, bool http10, Action *action, Answer *answer);
void play_more(Play *p);
unsigned play_status(const Play *p); /* 0 before the head was sent */
uint64_t play_events(const Play *p);
void play_done(Play *p); /* also for one that was never started */
