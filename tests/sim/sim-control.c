/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/json/write.h"
#include "base/text.h"
#include "sim-control.h"

static void send_text(Exchange *e, unsigned status, const char *type, const char *text) {
        _cleanup_buf_ Buf body = BUF_INIT(1U << 20);

        (void) buf_puts(&body, text);
        exchange_send(e, "control", status, type, &body);
}

static void get_status(Exchange *e) {
        const HttpCounts *n = http_server_counts(e->sim->server);
        _cleanup_buf_ Buf body = BUF_INIT(1U << 20);
        JWriter w = JWRITER_INIT(&body);
        Sim *s = e->sim;

        jwrite_object(&w, NULL);
        jwrite_uint(&w, "connections", n->connections - 1); /* without this one */
        jwrite_uint(&w, "accepted", n->accepted);
        jwrite_uint(&w, "in_progress", s->in_progress);
        jwrite_uint(&w, "total", s->total);
        jwrite_uint(&w, "hung_up", s->hung_up);
        jwrite_uint(&w, "malformed", n->malformed);
        jwrite_object(&w, "statuses");
        for (unsigned i = 0; i < ELEMENTSOF(s->statuses); i++)
                if (s->statuses[i] > 0) {
                        char name[16];

                        (void) snprintf(name, sizeof(name), "%u", i);
                        jwrite_uint(&w, name, s->statuses[i]);
                }
        jwrite_end(&w);
        jwrite_end(&w);
        (void) buf_putc(&body, '\n');
        exchange_send(e, "control", 200, JSON_TYPE, &body);
}

static void get_log(Exchange *e) {
        _cleanup_buf_ Buf body = BUF_INIT(SIM_LOG_BYTES_MAX * 2);

        LIST_FOREACH(i, &e->sim->exchanges)
                exchange_note(list_entry(i, Exchange, exchanges));
        if (e->sim->log)
                sim_log_write(e->sim->log, &body);
        exchange_send(e, "control", 200, "application/x-ndjson", &body);
}

static void clear_log(Exchange *e) {
        if (e->sim->log)
                sim_log_clear(e->sim->log);
        send_text(e, 200, JSON_TYPE, "{}\n");
}

static void set_script(Exchange *e) {
        _cleanup_free_ char *error = NULL, *append = NULL,
                            *text = strndup(e->request->body, e->request->n_body);

        (void) request_param(e->request, "append", &append);
        if (!text || sim_load_script(e->sim, text, append && !streq(append, "0"), &error) < 0) {
                send_text(e, 400, "text/plain; charset=UTF-8", error ?: "no memory");
                return;
        }
        send_text(e, 200, JSON_TYPE, "{}\n");
}

static void reset(Exchange *e) {
        _cleanup_free_ char *error = NULL;
        Sim *s = e->sim;

        (void) sim_load_script(s, s->script_text, false, &error);
        if (s->log)
                sim_log_clear(s->log);
        files_clear(&s->files);
        things_clear(&s->things);
        s->signatures.n = 0;
        s->total = s->hung_up = 0;
        memset(s->statuses, 0, sizeof(s->statuses));
        send_text(e, 200, JSON_TYPE, "{}\n");
}

static const struct {
        const char *method;
        const char *path;
        void (*handle)(Exchange *e);
} routes[] = {
        { "GET", "/sim/status", get_status },  { "GET", "/sim/log", get_log },
        { "DELETE", "/sim/log", clear_log },   { "POST", "/sim/log/clear", clear_log },
        { "POST", "/sim/script", set_script }, { "POST", "/sim/reset", reset },
};

void control_serve(Exchange *e) {
        for (size_t i = 0; i < ELEMENTSOF(routes); i++)
                if (streq(routes[i].path, e->request->path) && streq(routes[i].method, e->request->method)) {
                        routes[i].handle(e);
                        return;
                }
        send_text(e, 404, JSON_TYPE, "{\"error\":\"no such control route\"}\n");
}
