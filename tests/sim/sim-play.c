/* SPDX-License-Identifier: MIT */
/*
 * play_more() is asked whenever the kernel has taken everything, and gives pieces up to a mark; so an answer
 * of any length costs the same memory. With a pace it gives one piece, arms its timer for the next one's
 * moment (counted from the first piece, so that lateness doesn't add up) and gives nothing until then.
 */
#include <stdio.h>
#include <time.h>

#include "base/text.h"
#include "sim-play.h"

#define DRIP_PACE (2 * USEC_PER_MSEC)

static const struct {
        unsigned status;
        const char *reason;
} reasons[] = {
        { 200, "OK" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 402, "Payment Required" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 409, "Conflict" },
        { 413, "Request Entity Too Large" },
        { 429, "Too Many Requests" },
        { 499, "Client Closed Request" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
};

static const char *reason_of(unsigned status) {
        for (size_t i = 0; i < ELEMENTSOF(reasons); i++)
                if (reasons[i].status == status)
                        return reasons[i].reason;
        return "Unknown";
}

/* The headers of every answer of Google's, without Alt-Svc: no client should look for HTTP/3 at port 443
 * here. */
static const char *common_headers(void) {
        static char text[512];
        static time_t then;
        time_t now = time(NULL);
        char date[64];
        struct tm tm;

        if (now != then) {
                (void) strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
                (void) snprintf(text, sizeof(text),
                                "Vary: Origin\r\nVary: X-Origin\r\nVary: Referer\r\nDate: %s\r\n"
                                "Server: scaffolding on HTTPServer2\r\nX-XSS-Protection: 0\r\n"
                                "X-Frame-Options: SAMEORIGIN\r\nX-Content-Type-Options: nosniff\r\n"
                                "X-Gemini-Service-Tier: standard\r\nServer-Timing: gfet4t7; dur=1\r\n",
                                date);
                then = now;
        }
        return text;
}

static void write_head(Play *p) {
        const Answer *a = p->answer;
        Buf *out = conn_out(p->conn);
        size_t start = out->n;

        p->headed = true;
        (void) buf_printf(out, "HTTP/1.1 %u %s\r\nContent-Type: %s\r\n", a->status, reason_of(a->status),
                          a->type);
        (void) buf_puts(out, common_headers());
        if (a->header)
                (void) buf_printf(out, "%s\r\n", a->header);
        if (a->form == ANSWER_PLAIN)
                (void) buf_printf(out, "Content-Length: %zu\r\n\r\n", a->bytes.n);
        else
                (void) buf_puts(out, p->chunked ? "Transfer-Encoding: chunked\r\n\r\n"
                                                : "Connection: close\r\n\r\n");

        if (p->action->slow_headers || p->action->drip)
                conn_drip(p->conn, MAX(p->action->drip_size, 1U),
                          p->action->pace > 0 ? p->action->pace : DRIP_PACE,
                          p->action->drip ? UINT64_MAX : out->n - start);
}

/* One piece with its framing, as one chunk. */
static void write_piece(Play *p, const char *piece, size_t n) {
        static const struct {
                const char *before;
                const char *between;
                const char *behind;
        } frames[] = {
                [ANSWER_PLAIN] = { "", "", "" },
                [ANSWER_SSE] = { "data: ", "data: ", "\r\n\r\n" },
                [ANSWER_ARRAY] = { "[", ",\r\n", "" },
                [ANSWER_RAW] = { "", "", "" },
        };
        AnswerForm form = p->answer->form;
        const char *before = p->next == 0 ? frames[form].before : frames[form].between,
                   *behind = frames[form].behind;
        size_t n_before = strlen(before), n_behind = strlen(behind);
        Buf *out = conn_out(p->conn);

        if (n_before + n + n_behind == 0)
                return; /* an empty chunk would be the last one */
        if (p->chunked)
                (void) buf_printf(out, "%zx\r\n", n_before + n + n_behind);
        (void) buf_append(out, before, n_before);
        (void) buf_append(out, piece, n);
        (void) buf_append(out, behind, n_behind);
        if (p->chunked)
                (void) buf_append(out, "\r\n", 2);
}

static void finish(Play *p) {
        Buf *out = conn_out(p->conn);

        if (p->answer->form == ANSWER_ARRAY)
                (void) buf_puts(out, p->chunked    ? (p->next > 0 ? "1\r\n]\r\n" : "2\r\n[]\r\n")
                                     : p->next > 0 ? "]"
                                                   : "[]");
        if (p->chunked)
                (void) buf_append(out, "0\r\n\r\n", 5);
        conn_finish(p->conn, p->chunked || p->answer->form == ANSWER_PLAIN);
}

static void end_early(Play *p) {
        switch (p->action->ending) {
        case ENDING_RESET:
                conn_reset(p->conn);
                break;
        case ENDING_CLOSE:
        case ENDING_CUT:
                conn_cut(p->conn);
                break;
        case ENDING_HANG:
                p->hanging = true;
                break;
        case ENDING_ERROR:
                write_piece(p, buf_data(&p->stream_error), p->stream_error.n);
                p->next++;
                finish(p);
                break;
        default:
                finish(p);
        }
}

static bool has_ending(const Play *p) {
        return p->action->ending != ENDING_NORMAL && p->after != ACTION_UNSET;
}

static void play_plain(Play *p) {
        uint64_t n = p->answer->bytes.n;
        const char *bytes = n > 0 ? buf_data(&p->answer->bytes) : ""; /* an empty one has no memory */

        if (has_ending(p) && p->action->ending != ENDING_END && p->action->ending != ENDING_ERROR) {
                (void) buf_append(conn_out(p->conn), bytes, MIN(n, p->after));
                end_early(p);
                return;
        }
        (void) buf_append(conn_out(p->conn), bytes, n);
        finish(p);
}

void play_more(Play *p) {
        usec_t pace = p->action->drip || p->action->slow_headers ? 0 : p->action->pace;
        uint64_t total;

        if (!p->began || p->hanging)
                return;
        if (p->answer->form == ANSWER_PLAIN) {
                play_plain(p);
                return;
        }

        total = answer_pieces(p->answer);
        while (conn_out(p->conn)->n < CONN_OUT_MARK) {
                const char *piece;
                size_t n;

                if (has_ending(p) && p->next == MIN(p->after, total)) {
                        end_early(p);
                        return;
                }
                if (p->next == total) {
                        finish(p);
                        return;
                }
                if (pace > 0 && p->next > 0 && loop_now(p->loop) < p->due) {
                        (void) timer_arm(p->loop, &p->timer, p->due);
                        return;
                }
                answer_piece(p->answer, p->next, &piece, &n);
                write_piece(p, piece, n);
                p->next++;
                p->due = usec_add(p->due, pace);
        }
}

/* The delay is over: the first byte, or what comes instead of it. */
static void begin(Play *p) {
        bool before_all = p->action->after == ACTION_UNSET;

        p->began = true;
        p->due = loop_now(p->loop);
        if (p->action->ending == ENDING_CLOSE ||
            (before_all && (p->action->ending == ENDING_RESET || p->action->ending == ENDING_HANG))) {
                end_early(p);
                return;
        }
        write_head(p);
        play_more(p);
}

static void on_timer(Timer *t) {
        Play *p = CONTAINER_OF(t, Play, timer);

        if (!p->began)
                begin(p);
        conn_pump(p->conn);
}

/* The default: a stream ends after its first event, a plain body in the middle. */
static uint64_t ending_place(const Action *action, const Answer *answer) {
        if (action->after != ACTION_UNSET || action->ending == ENDING_NORMAL)
                return action->after;
        if (action->ending == ENDING_END && action->content == CONTENT_SSE)
                return ACTION_UNSET; /* literal events decide themselves what is complete */
        return answer->form == ANSWER_PLAIN ? answer->bytes.n / 2 : 1;
}

void play_start(Play *p, Loop *l, Conn *c, bool http10, Action *action, Answer *answer) {
        *p = (Play){
                .loop = l,
                .conn = c,
                .timer.fire = on_timer,
                .action = action,
                .answer = answer,
                .chunked = answer->form != ANSWER_PLAIN && !http10,
                .after = ending_place(action, answer),
                .stream_error = p->stream_error,
        };

        if (action->delay > 0)
                (void) timer_arm(l, &p->timer, usec_add(loop_now(l), action->delay));
        else
                begin(p);
}

unsigned play_status(const Play *p) {
        return p->headed ? p->answer->status : 0;
}

uint64_t play_events(const Play *p) {
        return p->answer && p->answer->form != ANSWER_PLAIN ? p->next : 0;
}

void play_done(Play *p) {
        if (p->loop)
                timer_disarm(p->loop, &p->timer);
        p->action = action_unref(p->action);
        p->answer = answer_unref(p->answer);
        buf_done(&p->stream_error);
        p->loop = NULL;
        p->headed = false;
}
