/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "server/health-check.h"
#include "io/probe.h"

#define ANSWER_MAX (16U << 10)
#define PATIENCE   (3 * USEC_PER_SEC)

/* Reads the status from the answer. */
static int read_status(Buf *body, char ret[static 32]) {
        const char *text = buf_cstr(body), *word = NULL;
        struct json_object *answer, *status;
        int r = -EBADMSG;

        answer = text ? json_tokener_parse(text) : NULL;
        if (json_object_object_get_ex(answer, "status", &status))
                word = json_object_get_string(status);
        if (word && strlen(word) < 32 && word[strspn(word, "abcdefghijklmnopqrstuvwxyz_")] == 0) {
                (void) snprintf(ret, 32, "%s", word);
                r = 0;
        }
        json_object_put(answer);
        return r;
}

static int ask(const char *listen, char ret[static 32]) {
        _cleanup_buf_ Buf body = BUF_INIT(ANSWER_MAX);
        int r;

        r = probe_get(listen, "/health", PATIENCE, &body);
        if (r < 0)
                return r;
        return r == 200 ? read_status(&body, ret) : -EBADMSG;
}

int health_check(const Config *c) {
        char word[32];
        int r = -ENOENT;

        for (char **s = c->listen; s && *s; s++) {
                r = ask(*s, word);
                if (r < 0) {
                        log_error("%s does not answer: %s", *s,
                                  r == -EBADMSG ? "that is not gemgated" : strerror(-r));
                        return EX_UNAVAILABLE;
                }
        }
        if (r < 0)
                return EX_UNAVAILABLE;
        (void) puts(word);
        return 0;
}
