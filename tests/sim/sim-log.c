/* SPDX-License-Identifier: MIT */
/*
 * The first half of an entry's JSON is written when the request arrives, since the request's memory is the
 * connection's; the second half when the log is read. An entry outlives its place in the list while an
 * exchange still writes into it.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/clock.h"
#include "base/json/write.h"
#include "base/text.h"
#include "sim-log.h"

struct SimLog {
        List entries;
        size_t n;
        size_t bytes;
        int fd;
};

int sim_log_new(const char *file, SimLog **ret) {
        _cleanup_(sim_log_freep) SimLog *l = calloc(1, sizeof(*l));

        if (!l)
                return -ENOMEM;
        list_init(&l->entries);
        l->fd = -1;
        if (file) {
                l->fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
                if (l->fd < 0)
                        return -errno;
        }
        *ret = TAKE_PTR(l);
        return 0;
}

SimLog *sim_log_free(SimLog *l) {
        if (!l)
                return NULL;
        sim_log_clear(l);
        safe_close(l->fd);
        free(l);
        return NULL;
}

SimLogEntry *sim_log_entry_ref(SimLogEntry *e) {
        e->n_ref++;
        return e;
}

SimLogEntry *sim_log_entry_unref(SimLogEntry *e) {
        if (!e || --e->n_ref > 0)
                return NULL;
        free(e->arrived);
        free(e->rule);
        free(e->model);
        buf_done(&e->messages);
        free(e);
        return NULL;
}

static void drop(SimLog *l, SimLogEntry *e) {
        list_unlink(&e->entries);
        l->n--;
        l->bytes -= e->n_arrived;
        sim_log_entry_unref(e);
}

void sim_log_clear(SimLog *l) {
        LIST_FOREACH(i, &l->entries)
                drop(l, list_entry(i, SimLogEntry, entries));
}

static void write_arrived(Buf *out, uint64_t seq, const Request *q, const SimLogFacts *facts) {
        JWriter w = JWRITER_INIT(out);
        size_t n = MIN(q->n_body, SIM_LOG_BODY_MAX);

        jwrite_object(&w, NULL);
        jwrite_uint(&w, "seq", seq);
        jwrite_fixed(&w, "time", (double) clock_realtime() / (double) USEC_PER_SEC, 6);
        jwrite_string(&w, "method", q->method);
        jwrite_string(&w, "path", q->path);
        jwrite_string(&w, "query", q->query);
        jwrite_string(&w, "model", facts->model);
        jwrite_string(&w, "verb", facts->verb);
        jwrite_string(&w, "key", facts->key);
        jwrite_object(&w, "headers");
        for (unsigned i = 0; i < q->n_headers; i++)
                jwrite_string(&w, q->headers[i].name, q->headers[i].value);
        jwrite_end(&w);
        jwrite_string_n(&w, "body", q->body, n);
        if (n < q->n_body)
                jwrite_bool(&w, "body_cut", true);
}

int sim_log_add(SimLog *l, uint64_t seq, const Request *q, const SimLogFacts *facts, SimLogEntry **ret) {
        _cleanup_buf_ Buf text = BUF_INIT(SIM_LOG_BODY_MAX * 6 + REQUEST_HEAD_MAX * 6);
        SimLogEntry *e;
        int r;

        for (unsigned i = 0; i < q->n_headers;
             i++) /* JSON's names are lower case, as a test asks for them */
                for (char *p = q->headers[i].name; *p; p++)
                        *p = *p >= 'A' && *p <= 'Z' ? (char) (*p | 32) : *p;
        write_arrived(&text, seq, q, facts);

        e = calloc(1, sizeof(*e));
        if (!e)
                return -ENOMEM;
        e->n_ref = 1;
        e->messages = BUF_INIT(SIM_LOG_MESSAGES_MAX);
        list_init(&e->entries);
        r = buf_steal(&text, &e->arrived, &e->n_arrived);
        if (r < 0) {
                sim_log_entry_unref(e);
                return r;
        }

        list_append(&l->entries, &e->entries);
        l->n++;
        l->bytes += e->n_arrived;
        while (l->n > SIM_LOG_ENTRIES_MAX || (l->bytes > SIM_LOG_BYTES_MAX && l->n > 1))
                drop(l, list_entry(list_first(&l->entries), SimLogEntry, entries));
        *ret = sim_log_entry_ref(e);
        return 0;
}

static void write_entry(const SimLogEntry *e, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        (void) buf_append(out, e->arrived, e->n_arrived);
        (void) buf_puts(out, ",\"answer\":");
        jwrite_object(&w, NULL);
        jwrite_uint(&w, "status", e->status);
        jwrite_string(&w, "rule", e->rule);
        jwrite_uint(&w, "line", e->line);
        jwrite_uint(&w, "events", e->events);
        jwrite_uint(&w, "bytes", e->bytes);
        if (e->model)
                jwrite_string(&w, "model", e->model);
        if (e->n_messages > 0) {
                jwrite_uint(&w, "n_messages", e->n_messages);
                jwrite_array(&w, "messages");
                jwrite_raw_n(&w, NULL, buf_data(&e->messages), e->messages.n);
                jwrite_end(&w);
        }
        if (e->closed > 0)
                jwrite_uint(&w, "closed", e->closed);
        jwrite_bool(&w, "done", e->done);
        jwrite_bool(&w, "hung_up", e->hung_up);
        jwrite_end(&w);
        (void) buf_puts(out, "}\n");
}

void sim_log_write(const SimLog *l, Buf *out) {
        LIST_FOREACH(i, &l->entries)
                write_entry(list_entry(i, SimLogEntry, entries), out);
}

void sim_log_done(SimLog *l, SimLogEntry *e) {
        _cleanup_buf_ Buf line = BUF_INIT(SIM_LOG_BYTES_MAX);
        size_t done = 0;

        if (l->fd < 0)
                return;
        write_entry(e, &line);
        while (done < line.n) {
                ssize_t k = write(l->fd, buf_data(&line) + done, line.n - done);

                if (k < 0 && errno != EINTR)
                        return; /* the log by HTTP is still there */
                done += k > 0 ? (size_t) k : 0;
        }
}
