/* SPDX-License-Identifier: MIT */

/*
 * A test asks Google for the list of models, which counts on no quota, once: no other key and no second try.
 * It goes the key's own road (pool/proxy.h), and takes a key in any state, disabled or dead.
 *
 * A test only shows. It leases nothing and reports nothing to the pool, so it is no attempt, and neither
 * blocks a key nor lifts a block. A list that is given does not prove that a request would be: a project
 * without credit has its list. A block that should end now is lifted by a reset, or by enabling the key.
 */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "dialect/gemini/list.h"
#include "io/timer.h"
#include "pool/error.h"
#include "pool/proxy.h"
#include "server/key-test.h"

#define TEST_TIME (10 * USEC_PER_SEC) /* a person waits for it */

struct KeyTest {
        Http *http;
        char *id; /* for the log */
        Proxy *proxy; /* NULL: the road is direct */
        EngineCall *call;
        Timer *timer;
        usec_t started;
        GeminiList models;
        Verdict verdict;
        KeyTestFn f;
        void *userdata;
};

static void finish(KeyTest *t) {
        char text[SLOT_ERROR_MAX];
        KeyTestView v;

        t->timer = timer_free(t->timer);
        t->call = engine_call_free(t->call);
        if (t->verdict.class == VERDICT_OK)
                (void) snprintf(text, sizeof(text), "%zu model%s listed", t->models.n,
                                t->models.n == 1 ? "" : "s");
        else
                pool_error_format(&t->verdict, text);
        v = (KeyTestView){
                .outcome = key_test_outcome(&t->verdict),
                .text = text,
                .road = t->proxy ? proxy_shown(t->proxy) : "direct",
                .spent = usec_sub(loop_now(t->http->p.loop), t->started),
        };
        log_debug("test of the key %s: %s in %.3f s, %s: %s", t->id, key_test_to_string(v.outcome),
                  (double) v.spent / (double) USEC_PER_SEC, v.road, text);
        t->f(&v, t->userdata); /* may free t */
}

static int on_event(const char *json, size_t n, void *userdata) {
        KeyTest *t = userdata;
        int r;

        r = gemini_list_add(&t->models, json, n, &t->verdict);
        return MIN(r, 0);
}

static void on_done(const Verdict *v, void *userdata) {
        KeyTest *t = userdata;

        if (v->class != VERDICT_OK) /* else the event may have a verdict about the answer */
                t->verdict = *v;
        else if (t->verdict.class == VERDICT_OK && t->models.n == 0)
                verdict_init(&t->verdict, VERDICT_KEY_REFUSED, v->status, "Google lists no model for it.");
        finish(t);
}

static void on_timeout(void *userdata) {
        KeyTest *t = userdata;

        verdict_init(&t->verdict, VERDICT_TIMEOUT, 0, "A test waits for 10 s.");
        finish(t);
}

int key_test_new(Http *h, const PoolKey *k, KeyTestFn f, void *userdata, KeyTest **ret) {
        static const EngineSink sink = { .event = on_event, .done = on_done };
        _cleanup_(key_test_freep) KeyTest *t = NULL;
        int r;

        assert(h);
        assert(f);

        t = calloc(1, sizeof(KeyTest));
        if (!t)
                return -ENOMEM;
        *t = (KeyTest){
                .http = h,
                .id = strdup(pool_key_id(k)),
                .proxy = proxy_ref(pool_key_proxy(h->p.pool, k)),
                .started = loop_now(h->p.loop),
                .f = f,
                .userdata = userdata,
        };
        if (!t->id)
                return -ENOMEM;
        verdict_init(&t->verdict, VERDICT_OK, 0, NULL);
        r = timer_new(h->p.loop, TEST_TIME, on_timeout, t, &t->timer);
        if (r < 0)
                return r;
        r = engine_start(h->p.engine,
                         &(EngineRequest){
                                 .method = GEMINI_LIST_MODELS,
                                 .proxy = t->proxy,
                                 .key = pool_key_secret(k),
                         },
                         &sink, t, &t->call);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

KeyTest *key_test_free(KeyTest *t) {
        if (!t)
                return NULL;
        timer_free(t->timer);
        engine_call_free(t->call);
        gemini_list_done(&t->models);
        proxy_unref(t->proxy);
        free(t->id);
        free(t);
        return NULL;
}
