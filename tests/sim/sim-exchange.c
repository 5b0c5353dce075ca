/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/limits.h"
#include "base/text.h"
#include "sim-api.h"
#include "sim-control.h"
#include "sim-exchange.h"

static Exchange *exchange_of(Conn *c) {
        return *conn_data(c);
}

void exchange_play(Exchange *e, const char *rule, unsigned line, Action *action, Answer *answer) {
        if (e->entry) {
                free(e->entry->rule);
                e->entry->rule = strdup(rule);
                e->entry->line = line;
        }
        play_start(&e->play, e->sim->loop, e->conn, e->request->http10, action_ref(action), answer);
}

void exchange_send(Exchange *e, const char *rule, unsigned status, const char *type, Buf *body) {
        exchange_send_head(e, rule, status, type, NULL, body);
}

void exchange_send_head(Exchange *e, const char *rule, unsigned status, const char *type, char *header,
                        Buf *body) {
        Answer *a;

        if (body->error < 0 || answer_new(status, ANSWER_PLAIN, type, &a) < 0) {
                free(header);
                conn_reset(e->conn);
                return;
        }
        a->header = header;
        a->bytes = *body;
        *body = BUF_INIT(body->max);
        answer_close_piece(a);
        exchange_play(e, rule, 0, script_default(e->sim->script), a);
}

static unsigned status_of(const Exchange *e) {
        if (e->live)
                return 101;
        return e->download.status ?: play_status(&e->play);
}

static void send_more(Exchange *e) {
        Buf *out = conn_out(e->conn);

        if (out->n < CONN_OUT_MARK) {
                uint64_t n = MIN(e->download.end - e->download.at, CONN_OUT_MARK);

                content_write(e->download.at, (size_t) n, out);
                e->download.at += n;
        }
        if (e->download.at == e->download.end)
                conn_finish(e->conn, true);
}

void exchange_send_file(Exchange *e, unsigned status, char *header, uint64_t at, uint64_t end) {
        bool is_head = streq(e->request->method, "HEAD");

        e->download.status = status;
        e->download.at = is_head ? end : at;
        e->download.end = end;
        (void) buf_printf(conn_out(e->conn), "HTTP/1.1 %u %s\r\n%s\r\nContent-Length: %llu\r\n\r\n", status,
                          status == 206 ? "Partial Content" : "OK", header, (unsigned long long) (end - at));
        free(header);
        send_more(e);
}

void exchange_note(Exchange *e) {
        if (!e->entry)
                return;
        e->entry->status = status_of(e);
        e->entry->events = e->live ? live_sent(e->live) : play_events(&e->play);
        e->entry->bytes = conn_sent(e->conn);
}

/* --- what the HTTP server calls --- */

static Exchange *exchange_new(Sim *s, Conn *c) {
        Exchange *e = exchange_of(c);

        if (e)
                return e;
        e = *conn_data(c) = calloc(1, sizeof(*e));
        if (!e)
                abort();
        *e = (Exchange){ .sim = s, .conn = c };
        list_init(&e->exchanges);
        return e;
}

static bool on_passes(void *userdata, const Request *q) {
        return startswith(q->path, "/upload/") && (q->chunked || q->length > INCOMING_HELD_MAX);
}

static void on_piece(void *userdata, Conn *c, Request *q, const char *p, size_t n) {
        Sim *s = userdata;
        Exchange *e = exchange_new(s, c);

        if (!e->incoming)
                e->incoming = incoming_new();
        q->incoming = e->incoming;
        files_receive(&s->files, q, p, n);
}

static void on_request(void *userdata, Conn *c, const Request *q) {
        Sim *s = userdata;
        Exchange *e = exchange_new(s, c);

        e->request = q;
        e->control = startswith(q->path, "/sim/") != NULL;
        if (e->control)
                control_serve(e);
        else {
                s->total++;
                s->in_progress++;
                list_append(&s->exchanges, &e->exchanges);
                api_serve(e);
        }
        e->request = NULL;
        e->incoming = incoming_free(e->incoming);
}

static void on_bytes(void *userdata, Conn *c, Buf *in) {
        live_receive(exchange_of(c)->live, in);
}

static void on_more(void *userdata, Conn *c) {
        Exchange *e = exchange_of(c);

        if (e->live)
                live_more(e->live);
        else if (e->download.status > 0)
                send_more(e);
        else
                play_more(&e->play);
}

static void on_ended(void *userdata, Conn *c, bool hung_up) {
        Exchange *e = exchange_of(c);
        Sim *s = userdata;
        unsigned status;

        if (!e)
                return;
        if (!e->control) {
                list_unlink(&e->exchanges);
                s->in_progress--;
                s->hung_up += hung_up;
                status = status_of(e);
                if (status < ELEMENTSOF(s->statuses))
                        s->statuses[status]++;
        }
        if (e->entry) {
                exchange_note(e);
                e->entry->done = true;
                e->entry->hung_up = hung_up;
                sim_log_done(s->log, e->entry);
                e->entry = sim_log_entry_unref(e->entry);
        }
        e->live = live_free(e->live);
        play_done(&e->play);
        e->download.status = 0;
}

static void on_closed(void *userdata, Conn *c) {
        if (exchange_of(c))
                incoming_free(exchange_of(c)->incoming);
        free(*conn_data(c));
        *conn_data(c) = NULL;
}

const HttpHandler exchange_handler = {
        .passes = on_passes,
        .piece = on_piece,
        .request = on_request,
        .bytes = on_bytes,
        .more = on_more,
        .ended = on_ended,
        .closed = on_closed,
};

/* --- the simulator --- */

int sim_load_script(Sim *s, const char *text, bool append, char **ret_error) {
        if (!append) {
                script_clear(s->script);
                model_list_reset(s->models);
        }
        return text ? script_append(s->script, text, ret_error) : 0;
}

int sim_new(Loop *l, const SimOptions *options, Sim **ret, char **ret_error) {
        _cleanup_(sim_freep) Sim *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->loop = l;
        s->lax = options->lax;
        list_init(&s->exchanges);
        files_init(&s->files);
        things_init(&s->things);
        s->tokener = json_tokener_new_ex((int) JSON_DEPTH_MAX);
        if (!s->tokener)
                return -ENOMEM;
        r = model_list_new(&s->models);
        if (r < 0)
                return r;
        r = script_new(s->models, &s->script);
        if (r < 0)
                return r;
        if (!options->no_log && !options->lax) {
                r = sim_log_new(options->log, &s->log);
                if (r < 0)
                        return r;
        }
        if (options->script) {
                s->script_text = strdup(options->script);
                if (!s->script_text)
                        return -ENOMEM;
        }
        r = sim_load_script(s, s->script_text, false, ret_error);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(s);
        return 0;
}

Sim *sim_free(Sim *s) {
        if (!s)
                return NULL;
        live_book_clear(&s->live);
        files_clear(&s->files);
        things_clear(&s->things);
        script_free(s->script);
        model_list_free(s->models);
        sim_log_free(s->log);
        json_tokener_free(s->tokener);
        free(s->script_text);
        free(s);
        return NULL;
}
