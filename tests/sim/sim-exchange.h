/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The simulator itself, and one exchange of it: requests from the HTTP server go to the control routes or
 * to the Gemini API; their answers are sent and logged here.
 */

#include <json-c/json.h>

#include "sim-files.h"
#include "sim-http.h"
#include "sim-live.h"
#include "sim-log.h"
#include "sim-model.h"
#include "sim-play.h"
#include "sim-script.h"
#include "sim-signature.h"
#include "sim-thing.h"

typedef struct Sim Sim;
typedef struct SimOptions SimOptions;
typedef struct Exchange Exchange;

#define JSON_TYPE "application/json; charset=UTF-8"

struct SimOptions {
        const char *script; /* the text of the rules at the start and after each /sim/reset; NULL for none */
        const char *log;    /* a file that gets each log entry, or NULL */
        bool lax;    /* looks at no body: nothing is refused, nothing is echoed, answers are made once */
        bool no_log; /* keeps nothing of the requests, only counts */
};

struct Sim {
        Loop *loop;
        const HttpServer *server; /* set when it is there: /sim/status counts its connections */
        Script *script;
        char *script_text;
        ModelList *models;
        SimFiles files;
        SimThings things;
        SignatureBook signatures;
        LiveBook live; /* sessions that can be resumed */
        SimLog *log; /* NULL: none is kept */
        bool lax;
        json_tokener *tokener;
        List exchanges; /* those of the API that are in progress */
        uint64_t total;
        uint64_t in_progress;
        uint64_t hung_up;
        uint64_t statuses[600];
};

/* Each connection has one, made with its first request and used again by the next. */
struct Exchange {
        Sim *sim;
        Conn *conn;
        const Request *request; /* only until it was answered */
        List exchanges;
        Play play;
        SimLogEntry *entry;
        Live *live;            /* a session; or NULL */
        SimIncoming *incoming; /* of the request that is arriving */
        struct {
                uint64_t at, end; /* of a file that is sent */
                unsigned status;  /* 0: none is */
        } download;
        bool control; /* one of /sim/…: neither counted nor logged */
};

extern const HttpHandler exchange_handler; /* its userdata is the Sim */

/* ret_error, to be freed: what is wrong with the script. */
int sim_new(Loop *l, const SimOptions *options, Sim **ret, char **ret_error);
Sim *sim_free(Sim *s);
DEFINE_CLEANUP(Sim *, sim_free);

/* Replaces the rules, or puts these behind them. */
int sim_load_script(Sim *s, const char *text, bool append, char **ret_error);

/* rule: what the log shows as the reason; line: 0 if it is no rule of the script. Takes over the answer. */
void exchange_play(Exchange *e, const char *rule, unsigned line, Action *action, Answer *answer);
/* The same with more lines of the head, which are taken over; or NULL. */
void exchange_send_head(Exchange *e, const char *rule, unsigned status, const char *type, char *header,
                        Buf *body);
/* An answer that no script has a part in. Takes the body's content. */
void exchange_send(Exchange *e, const char *rule, unsigned status, const char *type, Buf *body);

/* Sends the content of a file, from `at` to `end`; these lines of the head are taken over. */
void exchange_send_file(Exchange *e, unsigned status, char *header, uint64_t at, uint64_t end);

void exchange_note(Exchange *e); /* brings the log's entry up to date */
