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

void exchange_note(Exchange *e) {
        if (!e->entry)
                return;
        e->entry->status = play_status(&e->play);
        e->entry->events = play_events(&e->play);
        e->entry->bytes = conn_sent(e->conn);
}

/* --- what the HTTP server calls --- */

static void on_request(void *userdata, Conn *c, const Request *q) {
        Exchange *e = exchange_of(c);
        Sim *s = userdata;

        if (!e) {
                e = *conn_data(c) = calloc(1, sizeof(*e));
                if (!e) {
                        conn_reset(c);
                        return;
                }
                *e = (Exchange){ .sim = s, .conn = c };
                list_init(&e->exchanges);
        }

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
}

static void on_more(void *userdata, Conn *c) {
        play_more(&exchange_of(c)->play);
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
                status = play_status(&e->play);
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
        play_done(&e->play);
}

static void on_closed(void *userdata, Conn *c) {
        free(*conn_data(c));
        *conn_data(c) = NULL;
}

const HttpHandler exchange_handler = {
        .request = on_request,
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
        files_clear(&s->files);
        script_free(s->script);
        model_list_free(s->models);
        sim_log_free(s->log);
        json_tokener_free(s->tokener);
        free(s->script_text);
        free(s);
        return NULL;
}
