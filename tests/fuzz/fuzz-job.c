/* SPDX-License-Identifier: MIT */

/* The daemon's lines, as a start and as a job of either kind: refused with a sentence, or texts that have
 * their guards and a session file that is JSON. */

#include <errno.h>

#include "base/guard.h"
#include "base/job-protocol.h"
#include "base/text.h"
#include "runner/job.h"
#include "runner/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

static void check_guarded(const Buf *b) {
        _cleanup_buf_ Buf plain = BUF_INIT(b->n);

        check(guard_remove(&plain, buf_data(b), b->n) == 1);
        check(text_is_utf8(plain.n > 0 ? buf_data(&plain) : "", plain.n));
}

static void check_session(const Buf *b) {
        _cleanup_json_ struct json_object *o = NULL;
        struct json_object *messages;

        check(json_parse_object(buf_data(b), b->n, &o) == 0);
        messages = json_get(o, "messages", json_type_array);
        check(messages && json_object_array_length(messages) <= CLI_TURNS_MAX);
        for (size_t i = 0; i < json_object_array_length(messages); i++) {
                struct json_object *m = json_object_array_get_idx(messages, i);
                size_t n;

                check(json_get_string(m, "id", &n) && json_get_string(m, "type", &n));
        }
}

static void run_job(const char *line, size_t n, bool dialogue) {
        _cleanup_(job_done) RunnerJob j = {};
        const char *why = NULL;
        int r;

        r = job_parse(line, n, dialogue, &j, &why);
        check(r == 0 || (r == -EBADMSG && why && *why));
        if (r < 0)
                return;
        check_guarded(&j.prompt);
        if (j.system.n != strlen(CLI_SYSTEM_NEUTRAL))
                check_guarded(&j.system);
        check(dialogue == (j.session.n > 0));
        if (dialogue)
                check_session(&j.session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *line = (const char *) data, *why = NULL;
        JobStart s;
        int r;

        r = job_parse_start(line, size, &s, &why);
        check(r == 0 || (r == -EBADMSG && why && *why));
        if (r == 0)
                check(*s.token && strcspn(s.token, " \r\n\t") == strlen(s.token));
        run_job(line, size, false);
        run_job(line, size, true);
        return 0;
}
