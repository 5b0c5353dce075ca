/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by states.c (the states), live.c (the client's side, and the end), try.c (keys, and Gemini's side)
 * and sessions.c (what all sessions share). */

#include "base/limits-live.h"
#include "dialect/gemini/live.h"
#include "io/http-upgrade.h"
#include "io/timeout.h"
#include "io/timer.h"
#include "io/websocket-dial.h"
#include "server/http.h"
#include "server/live/live.h"
#include "server/request.h"
#include "server/upstream.h"

typedef enum LiveState {
        LIVE_ACCEPTING, /* the first */
        LIVE_WAITING,
        LIVE_PICKING, /* never visible from outside */
        LIVE_PAUSING,
        LIVE_DIALLING,
        LIVE_SETTING_UP,
        LIVE_OPEN,
        LIVE_CLOSING,
        LIVE_DONE,
        _LIVE_STATE_MAX,
} LiveState;

struct LiveIo {
        int (*accept)(HttpRequest *r, HttpUpgradeFn f, void *userdata);
        int (*dial)(Loop *loop, HttpClient *client, const WebsocketDialParams *p, WebsocketDialFn f,
                    void *userdata, WebsocketDial **ret);
        WebsocketDial *(*dial_free)(WebsocketDial *d);
        void (*set_max)(Websocket *w, size_t max);
        void (*start)(Websocket *w, const WebsocketOps *ops, void *userdata);
        int (*send)(Websocket *w, WebsocketKind kind, const char *p, size_t n);
        void (*pause)(Websocket *w, bool paused);
        void (*close)(Websocket *w, unsigned code, const char *reason);
        Websocket *(*free)(Websocket *w);
};

struct LiveSessions {
        Http *http;
        const LiveIo *io;
        TimeoutQueue *setup_due, *deadline, *silence;
        List sessions;
        LiveCounts counts;
};

struct Live {
        Request *request;
        LiveSessions *sessions;
        List link; /* in sessions->sessions */
        LiveState state; /* set by live_enter() alone */

        Websocket *client, *upstream; /* upstream NULL: there is none */
        bool client_ended, upstream_ended;
        WebsocketDial *dial;
        Timer *pause;
        Timeout setup_due, deadline, silence;

        Buf setup; /* as it goes upstream; until the session is open */
        Buf held;  /* what the client has sent behind it: each message behind a HeldMessage; likewise */
        WebsocketKind setup_kind;
        char model[MODEL_NAME_MAX + 1];    /* as it goes upstream: an alias is resolved */
        char pinned[BINDING_NAME_MAX + 1]; /* what setup names of one project; or "" */
        UpstreamCall call;
        UpstreamTries tries;
        Verdict verdict;   /* of the last try */
        unsigned end_code; /* with which Google has ended it; 0: by no close frame */
        char handles[LIVE_HANDLES_KEPT][BINDING_NAME_MAX + 1]; /* the latest first */
};

typedef struct HeldMessage {
        WebsocketKind kind;
        size_t n;
} HeldMessage;

/* server/live/states.c */
const char *live_state_to_string(LiveState s);
void live_enter(Live *l, LiveState state); /* the only assignment of the state */

/* server/live/live.c */
void live_opened(Live *l); /* Google's first message has come */
void live_pass(Live *l, WebsocketKind kind, const char *p, size_t n); /* to the client */
void live_end(Live *l, unsigned code, const char *reason); /* both sides end; for the client, so */
void live_fail(Live *l, const ApiError *e);                /* the same, as an error */
void live_settle(Live *l); /* in CLOSING: if both sides have ended, l is freed */
Live *live_free(Live *l);

/* server/live/try.c */
void live_pick(Live *l); /* in PICKING: finds a key, waits, or ends */
void live_conclude(Live *l, VerdictClass class); /* gives the lease back, if there is one */
void live_drop_upstream(Live *l); /* at once */
void live_on_setup_late(Live *l);
