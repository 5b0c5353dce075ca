/* SPDX-License-Identifier: MIT */
#pragma once

/* What to do with one request: the right side of a script's rule. */

#include "base/buf.h"
#include "base/clock.h"
#include "sim-error.h"

typedef struct Action Action;
typedef struct Answer Answer;
typedef enum ActionContent ActionContent;
typedef enum ActionEnding ActionEnding;

#define ACTION_UNSET     UINT64_MAX
#define ACTION_CACHE_MAX 8U /* models × forms that a benchmark asks for */

enum ActionContent {
        CONTENT_DEFAULT, /* the simulated answer */
        CONTENT_TEXT,
        CONTENT_PARTS, /* calls, pictures, code; perhaps with a text before them */
        CONTENT_JSON,
        CONTENT_SSE, /* one event a line */
        CONTENT_RAW, /* the bytes as they are */
        CONTENT_ERROR,
        CONTENT_STATUS,
        CONTENT_GARBAGE,
        CONTENT_EMPTY,
        CONTENT_BLOCKED,
        CONTENT_BIG,
        CONTENT_LIVE, /* the steps of a session, one a line: sim-live.c */
};

enum ActionEnding {
        ENDING_NORMAL,
        ENDING_RESET, /* RST */
        ENDING_CLOSE, /* FIN before any byte */
        ENDING_HANG,  /* nothing more, and the connection stays */
        ENDING_CUT,   /* FIN in the middle of the body */
        ENDING_END,   /* HTTP ends well, but the answer is not marked as complete */
        ENDING_ERROR, /* an error in the stream, then a good end */
};

struct Action {
        unsigned n_ref;
        char *label; /* the right side as written: what the log shows */
        unsigned content;
        unsigned ending;
        uint64_t after; /* the ending comes after so many events of a stream, bytes of a plain body */
        const SimError *error;
        const SimError *stream_error;
        uint64_t status;
        char *text;
        uint64_t size; /* of CONTENT_BIG */
        uint64_t chunks;
        usec_t delay;
        usec_t pace;
        bool drip;
        bool slow_headers;
        uint64_t drip_size;
        /* of the answer */
        char *finish;
        char *model_version;
        char *thought;
        char *signature;
        char *parts;     /* JSON, with commas between */
        char *candidate; /* JSON: more members of the last candidate */
        char *counts;    /* JSON: more members of usageMetadata */
        bool unsigned_calls;
        bool no_ids;
        bool together; /* all parts are one event */
        uint64_t hops; /* a text comes in so many answers; 0: in one */
        uint64_t usage[3]; /* prompt, candidates, total */
        uint64_t thoughts;
        uint64_t cached;
        char *content_type;
        char *header; /* one more header line */
        /* of an error */
        char *retry;
        char *quota;
        char *message;
        uint64_t code;
        bool no_code;
        bool array;
        /* of a simulator that doesn't look at requests: the answers that were made */
        struct {
                char *model;
                unsigned form;
                Answer *answer;
        } cache[ACTION_CACHE_MAX];
        unsigned n_cache;
};

int action_new(Action **ret);
Action *action_ref(Action *a);
Action *action_unref(Action *a);
DEFINE_CLEANUP(Action *, action_unref);

/*
 * text: the right side of a rule. block: the lines of its here-document, or NULL. -EINVAL: ret_error has the
 * message, to be freed.
 */
int action_parse(const char *text, const char *block, Action **ret, char **ret_error);
