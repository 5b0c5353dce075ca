/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One client request, from its headers to its log line. The handler of its route runs when the body
 * is complete. It answers through server/reply.h, at once or later; or it refuses, and its caller answers.
 */

#include "config/config.h"
#include "core/traceparent.h"
#include "core/verdicts.h"
#include "dialect/dialect.h"
#include "dialect/error-shape.h"
#include "engine/job.h"
#include "io/http-request.h"
#include "server/forward.h"

/* What a handler returns. 0: it has answered, or will. −errno: a failure of gemgate, which the client sees
 * as status 500. */
enum {
        _HANDLER_E_SUCCESS,
        HANDLER_E_REFUSED, /* the client gets *ret_error */
};

/* The pool's refusal, and when it refused (realtime). */
typedef struct RequestRefusal {
        PoolRefusal pool;
        usec_t at;
} RequestRefusal;

struct Request {
        Http *http;
        HttpRequest *io;
        List requests;          /* in Http.requests */
        Config *config;         /* a reference: it keeps the configuration of its start */
        const Route *route;     /* NULL until found */
        const Dialect *dialect; /* NULL: there is nothing to translate */
        const ErrorShape *errors;
        const Token *token;     /* NULL: an open route without one */
        bool inner;             /* on the listener for CLI jobs */
        Job *job;               /* a reference to the CLI job that sent it; or NULL */
        Address client;
        bool client_unix; /* a unix peer: no address */
        char id[REQUEST_ID_MAX + 1];
        char trace_id[TRACE_ID_LENGTH + 1]; /* the client's, or "" */
        LogIds ids;                         /* both of them, for the log */
        char *path;       /* decoded, trailing slash cut */
        const char *rest; /* of a prefix route: the path behind the prefix */
        List link;        /* in a queue of the handler, if it uses one */
        void *pending;    /* of a handler that answers later */
        void (*cancel)(Request *q); /* of a handler that answers later: the request ends, drop it */
        /* Of a handler that passes a body on, and no exchange; or NULL. */
        void (*arrived)(Request *q); /* there is more of the client's body, or its end */
        void (*drained)(Request *q); /* the client has read most of what was there of the answer */
        void (*cut)(Request *q);     /* the daemon ends: answer, or break the answer off */
        bool close;                  /* no keep-alive after the reply */

        /* for the exchange, and for the log line */
        Exchange *exchange;
        Live *live; /* a session: server/live/live.h */
        uint64_t messages_in, messages_out; /* of it: from the client, and to it */
        char model[MODEL_NAME_MAX + 1];
        char key_mask[SECRET_MASK_MAX], key_name[POOL_KEY_ID_MAX + 1];
        const char *refusal; /* why access was refused, for the operator; static */
        char *reason; /* the error of a 401, 403 or 404; or NULL */
        char *named;  /* what its body names (server/files/named); or NULL */
        RequestRefusal *exhausted; /* the pool had no usable key; or NULL */
        const char *verdict;
        char served[MODEL_NAME_MAX + 1]; /* the model that answered; "" before */
        const char *fallback;            /* why another model serves; NULL: none does */
        const char *loss;                /* what of the request was left out; static; or NULL */
        const char *hint;                /* what the operator can do about an error; static; or NULL */
        Verdicts verdicts;               /* of all attempts */
        bool key_named, hedged; /* key_name is a given name; a second try was made beside the first */
        char finish_reason[FINISH_REASON_MAX + 1];
        unsigned attempts;
        int status;
        int stream_error; /* the status that the error in a stream would have had; 0: none */
        bool is_verdict_early; /* the last verdict is that of a stream that has begun: its end replaces it */
        Usage usage;
};

/* Calls the route's handler with the complete body, and answers if the handler refuses or fails. */
void request_handle(Request *q);

void request_note_key(Request *q, const PoolKey *k);       /* the key that serves, for headers and log */
void request_note_refusal(Request *q, const PoolRefusal *r); /* for the log; may lack memory */
void request_note_verdict(Request *q, VerdictClass class); /* of one attempt, for headers and log */

/* The body, which must be an object. A handler's result: 0, HANDLER_E_REFUSED or −errno. */
struct json_object;
int request_json(Request *q, struct json_object **ret, ApiError *ret_error);

/* The client's address in text form: `127.0.0.1`, `unix`. */
void request_client_format(const Request *q, char ret[static ADDRESS_STRING_MAX]);
