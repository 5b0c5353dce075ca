/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a load client must understand of an HTTP answer: the status, the framing (chunks, a length, or the
 * end of the connection), and where an event ends. It keeps no content; it counts events and remembers
 * whether the last one had the mark of the dialect's end (`[DONE]`, `finishReason`).
 */

#include "base/macros.h"

#define ANSWER_HEAD_MAX 4096U

typedef enum AnswerState {
        ANSWER_HEAD,
        ANSWER_CHUNK_SIZE,
        ANSWER_CHUNK_DATA,
        ANSWER_CHUNK_END,
        ANSWER_TRAILER,
        ANSWER_LENGTH,
        ANSWER_UNTIL_CLOSE,
        ANSWER_DONE,
        ANSWER_BAD,
} AnswerState;

typedef struct Answer {
        AnswerState state;
        char head[ANSWER_HEAD_MAX];
        size_t n_head;
        unsigned status;
        uint64_t left; /* bytes of the chunk, or of the whole body */
        size_t n_line; /* bytes of the present line: of the chunk's size or of the trailer */

        /* May be empty. Its first character must not occur in it again: the matcher never steps back. */
        const char *mark;
        size_t n_matched;
        size_t n_event_line;
        bool event_has_data;
        bool event_has_mark;
        unsigned n_events;
        bool complete; /* the last event held the mark */
} Answer;

void answer_reset(Answer *a, const char *mark);

/* Consumes n bytes and updates the state. */
void answer_feed(Answer *a, const char *p, size_t n);

/* The peer closed: true if that is a proper end. */
bool answer_closed(Answer *a);
