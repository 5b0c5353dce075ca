/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "runner/json.h"
#include "runner/output.h"
#include "runner/report.h"

/* the role is within this part of a line */
#define HEAD 256U

void output_init(CliOutput *o) {
        *o = (CliOutput){ .line = BUF_INIT(CLI_LINE_MAX) };
}

void output_done(CliOutput *o) {
        buf_done(&o->line);
}

/* The role comes before the content, and inside the content every quote has a backslash before it. */
static bool is_echo(const Buf *line) {
        static const char message[] = "{\"type\":\"message\",", user[] = ",\"role\":\"user\",";

        return line->n >= strlen(message) && memcmp(buf_data(line), message, strlen(message)) == 0 &&
               memmem(buf_data(line), MIN(line->n, HEAD), user, strlen(user));
}

static void keep_message(CliOutput *o, struct json_object *from) {
        const char *s;
        size_t n;

        s = json_get_string(from, "message", &n);
        if (!s)
                return;
        n = strnlen(s, n);
        if (n > JOB_MESSAGE_MAX)
                n = text_utf8_prefix(s, JOB_MESSAGE_MAX);
        memcpy(o->message, s, n);
        o->message[n] = '\0';
}

static int on_message(CliOutput *o, struct json_object *e, Buf *to) {
        const char *role, *content;
        size_t n_role, n;

        role = json_get_string(e, "role", &n_role);
        content = json_get_string(e, "content", &n);
        if (!role || !content)
                return -EBADMSG;
        if (!streq(role, "assistant"))
                return 0;
        o->messages++;
        return report_text(to, content, n);
}

static int on_error(CliOutput *o, struct json_object *e, Buf *to) {
        if (o->status == CLI_STATUS_NONE)
                keep_message(o, e);
        return 0;
}

static int on_result(CliOutput *o, struct json_object *e, Buf *to) {
        const char *status;
        size_t n;

        status = json_get_string(e, "status", &n);
        if (!status)
                return -EBADMSG;
        o->status = streq(status, "success") ? CLI_STATUS_SUCCESS : CLI_STATUS_ERROR;
        keep_message(o, json_get(e, "error", json_type_object));
        if (o->status == CLI_STATUS_SUCCESS)
                o->message[0] = '\0';
        return 0;
}

/* Other events do not matter: there are no tools, and the CLI refuses any call of one. */
static const struct {
        const char *type;
        int (*take)(CliOutput *o, struct json_object *e, Buf *to);
} kinds[] = {
        { "message", on_message },
        { "error", on_error },
        { "result", on_result },
};

static int on_line(CliOutput *o, Buf *to) {
        _cleanup_json_ struct json_object *e = NULL;
        const char *type;
        size_t n;
        int r;

        if (o->line.n == 0 || is_echo(&o->line))
                return 0;
        r = json_parse_object(buf_data(&o->line), o->line.n, &e);
        if (r < 0)
                return r;
        type = json_get_string(e, "type", &n);
        if (!type)
                return -EBADMSG;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (streq(kinds[i].type, type))
                        return kinds[i].take(o, e, to);
        return 0;
}

static int end_line(CliOutput *o, Buf *to) {
        int r = o->dropping ? 0 : on_line(o, to);

        if (r == -EBADMSG) {
                o->skipped++;
                r = 0;
        }
        o->dropping = false;
        buf_clear(&o->line);
        return r;
}

/* Part of a line. */
static int add(CliOutput *o, const char *p, size_t n) {
        int r;

        if (o->dropping)
                return 0;
        if (n > CLI_LINE_MAX - o->line.n) {
                /* Enough of it to recognise an echo. */
                (void) buf_append(&o->line, p, CLI_LINE_MAX - o->line.n);
                o->skipped += !is_echo(&o->line);
                o->dropping = true;
                buf_clear(&o->line);
                return 0;
        }
        r = buf_append(&o->line, p, n);
        if (r >= 0 && o->line.n >= HEAD && is_echo(&o->line)) {
                o->dropping = true;
                buf_clear(&o->line);
        }
        return r;
}

int output_feed(CliOutput *o, const char *p, size_t n, Buf *to) {
        while (n > 0) {
                const char *end = memchr(p, '\n', n);
                size_t k = end ? (size_t) (end - p) : n;
                int r;

                r = add(o, p, k);
                if (r >= 0 && end) {
                        r = end_line(o, to);
                        k++;
                }
                if (r < 0)
                        return r;
                p += k;
                n -= k;
        }
        return 0;
}

int output_end(CliOutput *o, Buf *to) {
        return end_line(o, to);
}
