/* SPDX-License-Identifier: MIT */

/*
 * Each answer is evidence about more layers than the one at fault. Google checks the key first, then the
 * project (suspended, API off, money), then the quota, then the request and the model. So a quota error
 * proves that key and project are alive; a request error proves at least the key. Errors from elsewhere
 * (overload, silence, a network that fails, an answer that is not Google's, a client that hung up) prove
 * nothing: a probe that ends with one is not counted as a probe.
 *
 * Two entries of the table need an explanation. A bare 429 (RATE_UNKNOWN) cools the (key, model) that met
 * it, and is not a failure of health: Google also sends it when it is overloaded. But a bucket that is
 * half-open after a quota error is still refused: AGAIN. And a refusal of the account behind a dead key
 * (KEY_REFUSED) does not prove the key alive: AGAIN, too.
 *
 * One rule holds for every entry of the table, see judge() in pool/lease.c: the answer to a request that was
 * sent before a breaker opened neither closes that breaker nor counts as a repeated refusal, because it is
 * about the time before. A refusal with a later end is believed, though. Only for health does any success
 * count.
 */

#include "core/judgement.h"

#define VOID JUDGEMENT_VOID
#define PASS JUDGEMENT_PASS
#define FAIL JUDGEMENT_FAIL
#define AGAIN JUDGEMENT_AGAIN
#define PAUSE JUDGEMENT_PAUSE

static const uint8_t judgements[_VERDICT_CLASS_MAX][_LAYER_MAX] = {
        /*                               key    project bucket rate   health */
        [VERDICT_OK]                = { PASS,  PASS,   PASS,  PASS,  PASS },
        [VERDICT_KEY_DEAD]          = { FAIL,  VOID,   VOID,  VOID,  VOID },
        [VERDICT_PROJECT_DEAD]      = { VOID,  FAIL,   VOID,  VOID,  VOID },
        [VERDICT_BILLING]           = { PASS,  FAIL,   VOID,  VOID,  VOID },
        [VERDICT_LIMIT_ZERO]        = { PASS,  PASS,   FAIL,  VOID,  VOID },
        [VERDICT_DAY]               = { PASS,  PASS,   FAIL,  VOID,  VOID },
        [VERDICT_MINUTE]            = { PASS,  PASS,   FAIL,  VOID,  VOID },
        [VERDICT_RATE_UNKNOWN]      = { PASS,  VOID,   AGAIN, FAIL,  VOID },
        [VERDICT_TOO_LARGE]         = { PASS,  PASS,   VOID,  VOID,  VOID },
        [VERDICT_MODEL_FOR_PROJECT] = { PASS,  PASS,   FAIL,  VOID,  VOID },
        [VERDICT_KEY_REFUSED]       = { AGAIN, VOID,   VOID,  VOID,  FAIL },
        [VERDICT_GEO]               = { VOID,  VOID,   VOID,  VOID,  VOID },
        [VERDICT_RESOURCE]          = { PASS,  VOID,   VOID,  VOID,  VOID },
        [VERDICT_SIGNATURE]         = { PASS,  VOID,   VOID,  VOID,  VOID },
        [VERDICT_REQUEST]           = { PASS,  VOID,   VOID,  VOID,  VOID },
        [VERDICT_OVERLOAD]          = { PAUSE, PAUSE,  PAUSE, PAUSE, PAUSE },
        [VERDICT_UNREACHABLE]       = { PAUSE, PAUSE,  PAUSE, PAUSE, PAUSE },
        [VERDICT_FOREIGN]           = { PAUSE, PAUSE,  PAUSE, PAUSE, PAUSE },
        [VERDICT_CUT]               = { PAUSE, PAUSE,  PAUSE, PAUSE, PAUSE },
        [VERDICT_TIMEOUT]           = { PAUSE, PAUSE,  PAUSE, PAUSE, PAUSE },
        [VERDICT_CLI]               = { VOID,  VOID,   VOID,  VOID,  VOID },
        [VERDICT_CLIENT_GONE]       = { VOID,  VOID,   VOID,  VOID,  VOID },
        [VERDICT_INTERNAL]          = { VOID,  VOID,   VOID,  VOID,  VOID },
};

const char *layer_to_string(Layer l) {
        static const char *const names[_LAYER_MAX] = {
                [LAYER_KEY] = "key",   [LAYER_PROJECT] = "project", [LAYER_BUCKET] = "bucket",
                [LAYER_RATE] = "rate", [LAYER_HEALTH] = "health",
        };

        assert(l < _LAYER_MAX);
        return names[l];
}

Judgement judgement_of(VerdictClass class, Layer layer) {
        assert(class >= 0 && class < _VERDICT_CLASS_MAX);
        assert(layer < _LAYER_MAX);
        assert(judgements[class][layer] != _JUDGEMENT_MISSING);
        return judgements[class][layer];
}

usec_t judgement_doubt_wait(unsigned strikes) {
        return strikes == 0 ? JUDGEMENT_PAUSE_WAIT : judgement_wait(strikes - 1);
}

usec_t judgement_wait(unsigned strikes) {
        return MIN(30 * USEC_PER_SEC << MIN(strikes, 6U), 30 * USEC_PER_MINUTE);
}
