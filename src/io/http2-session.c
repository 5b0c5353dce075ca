/* SPDX-License-Identifier: MIT */

/*
 * What frames mean to a work: libnghttp2's callbacks.
 *
 * A stream outlives its work: a work that is cancelled or has ended is forgotten at once, and libnghttp2
 * closes the stream when the RST_STREAM is sent. What comes for it until then is dropped.
 *
 * Windows: what a work takes is consumed in its stream's window unless the work is paused, and always in the
 * connection's, so that a paused work holds at most its stream's window and no other one up. libnghttp2
 * sends a WINDOW_UPDATE when half a window is consumed.
 *
 * How a stream ends: its answer is complete if a frame with END_STREAM has come, whatever follows. It is
 * unsent if the server has refused it (REFUSED_STREAM, or an id above the last one of GOAWAY) and nothing of
 * an answer had come. Otherwise it is broken.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/http2-internal.h"

/* --- streams --- */

void http2_stream_free(Http2Stream *s) {
        Http2 *c = s->connection;

        assert(!s->work);
        list_unlink(&s->link);
        c->n_streams--;
        free(s);
}

void http2_stream_end(Http2Stream *s, HttpWorkEnd end, const char *cause) {
        HttpWork *w = TAKE_PTR(s->work);
        Http2 *c = s->connection;

        if (!w)
                return;
        list_unlink(&w->link);
        w->connection = NULL;
        assert(c->n_works > 0);
        c->n_works--;
        http_work_end(w, end, cause);
        http2_wake(c);
}

/* A work that was opened is found by libnghttp2; one whose head was not sent so far, by a walk. */
Http2Stream *http2_stream_of(Http2 *c, const HttpWork *w) {
        Http2Stream *s = nghttp2_session_get_stream_user_data(c->session, w->stream);

        if (s && s->work == w)
                return s;
        LIST_FOREACH(i, &c->streams) {
                s = list_entry(i, Http2Stream, link);
                if (s->work == w)
                        return s;
        }
        return NULL;
}

static void no_memory(Http2 *c) {
        http2_break(c, c->memory.refused ? "The server makes the connection take too much memory" :
                                           "Cannot allocate memory");
}

void http2_stream_reset(Http2Stream *s) {
        Http2 *c = s->connection;

        if (nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL) < 0)
                no_memory(c);
        http2_wake(c);
}

void http2_stream_consume(Http2Stream *s) {
        Http2 *c = s->connection;

        if (s->n_held > 0 && nghttp2_session_consume_stream(c->session, s->id, s->n_held) < 0)
                no_memory(c);
        s->n_held = 0;
        http2_wake(c);
}

static void stop(Http2Stream *s, HttpWorkEnd end, const char *cause) {
        http2_stream_end(s, end, cause);
        http2_stream_reset(s);
}

static void aborted(Http2Stream *s) {
        stop(s, HTTP_WORK_ABORTED, "The answer was not wanted any more");
}

/* --- what comes --- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *f, void *userdata _unused_) {
        Http2Stream *s = nghttp2_session_get_stream_user_data(session, f->hd.stream_id);

        if (!s || !s->work)
                return 0;
        s->status = 0;
        if (++s->n_heads > HTTP2_HEADS_MAX)
                stop(s, HTTP_WORK_BROKEN, "The answer has too many heads");
        return 0;
}

static int line(Http2Stream *s, const uint8_t *name, size_t n_name, const uint8_t *value, size_t n_value) {
        Buf *b = &s->connection->line;

        buf_clear(b);
        (void) buf_append(b, name, n_name);
        (void) buf_append(b, ": ", 2);
        (void) buf_append(b, value, n_value);
        return b->error ?: http_work_header(s->work, buf_data(b), b->n);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *f, const uint8_t *name, size_t n_name,
                     const uint8_t *value, size_t n_value, uint8_t flags _unused_, void *userdata _unused_) {
        Http2Stream *s = nghttp2_session_get_stream_user_data(session, f->hd.stream_id);

        if (!s || !s->work)
                return 0;
        s->n_head += n_name + n_value + 2;
        if (s->n_head > HTTP2_HEAD_MAX || ++s->n_lines > HTTP2_LINES_MAX) {
                stop(s, HTTP_WORK_BROKEN, "The head of the answer is too large");
                return 0;
        }
        if (s->has_head) /* a trailer */
                return 0;
        if (name[0] == ':') { /* only :status passes libnghttp2, before all other lines, with three digits */
                assert(n_value == 3);
                s->status = (value[0] - '0') * 100 + (value[1] - '0') * 10 + (value[2] - '0');
                if (s->status < 100)
                        stop(s, HTTP_WORK_BROKEN, "The answer has an invalid :status");
        } else if (s->status >= 200 && line(s, name, n_name, value, n_value) < 0)
                aborted(s);
        return 0;
}

/* libnghttp2 would only leave the line out. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *f, const uint8_t *name _unused_,
                             size_t n_name _unused_, const uint8_t *value _unused_, size_t n _unused_,
                             uint8_t flags _unused_, void *userdata _unused_) {
        Http2Stream *s = nghttp2_session_get_stream_user_data(session, f->hd.stream_id);

        if (s && s->work)
                stop(s, HTTP_WORK_BROKEN, "The head of the answer has an invalid line");
        return 0;
}

static void on_head(Http2 *c, Http2Stream *s) {
        if (s->has_head || s->status < 200)
                return;
        s->has_head = true;
        s->work->status = s->status;
        http2_meter_give(&c->meter, 2);
        if (http_work_head(s->work, s->status) < 0)
                aborted(s);
}

/* The answer is complete. If the request is not, the server does not want the rest. */
static void on_end(Http2Stream *s) {
        bool sent = nghttp2_session_get_stream_local_close(s->connection->session, s->id) == 1;

        assert(s->has_head);
        http2_stream_end(s, HTTP_WORK_COMPLETE, NULL);
        if (!sent)
                http2_stream_reset(s);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *f, void *userdata) {
        Http2Stream *s = nghttp2_session_get_stream_user_data(session, f->hd.stream_id);
        Http2 *c = userdata;

        switch (f->hd.type) {
        case NGHTTP2_HEADERS:
                if (s && s->work)
                        on_head(c, s);
                break;
        case NGHTTP2_DATA:
                break;
        case NGHTTP2_SETTINGS:
                c->has_settings = true;
                return 0;
        case NGHTTP2_GOAWAY:
                c->drains = true;
                return 0;
        default:
                return 0;
        }
        if (s && s->work && (f->hd.flags & NGHTTP2_FLAG_END_STREAM))
                on_end(s);
        return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *f, int error _unused_,
                            void *userdata _unused_) {
        Http2Stream *s = nghttp2_session_get_stream_user_data(session, f->hd.stream_id);

        if (s)
                s->invalid = true;
        return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags _unused_, int32_t id, const uint8_t *p, size_t n,
                   void *userdata) {
        Http2Stream *s = nghttp2_session_get_stream_user_data(session, id);
        Http2 *c = userdata;

        if (nghttp2_session_consume_connection(session, n) < 0)
                return NGHTTP2_ERR_CALLBACK_FAILURE;
        if (!s || !s->work)
                return 0;
        http2_meter_give(&c->meter, 1);
        s->n_held += n;
        if (http_work_data(s->work, (const char *) p, n) < 0)
                aborted(s);
        else if (!s->work->paused)
                http2_stream_consume(s);
        return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *userdata _unused_) {
        Http2Stream *s = nghttp2_session_get_stream_user_data(session, id);
        char cause[HTTP_CAUSE_MAX];

        if (!s)
                return 0;
        if (s->invalid)
                http2_stream_end(s, HTTP_WORK_BROKEN, "The answer is not valid HTTP/2");
        else if (error == NGHTTP2_REFUSED_STREAM && s->n_heads == 0)
                http2_stream_end(s, HTTP_WORK_UNSENT, "The server refused the request");
        else {
                (void) snprintf(cause, sizeof(cause), "The server reset the stream (%s)",
                                nghttp2_http2_strerror(error));
                http2_stream_end(s, HTTP_WORK_BROKEN, cause);
        }
        http2_stream_free(s);
        return 0;
}

/* --- what goes --- */

static void copy_reason(Http2 *c, const nghttp2_goaway *f) {
        int n = (int) MIN(f->opaque_data_len, sizeof(c->cause) / 2);

        if (f->error_code != NGHTTP2_NO_ERROR && c->cause[0] == 0)
                (void) snprintf(c->cause, sizeof(c->cause),
                                "The server broke the rules of HTTP/2 (%s%s%.*s)",
                                nghttp2_http2_strerror(f->error_code), n > 0 ? ": " : "", n,
                                f->opaque_data ? (const char *) f->opaque_data : "");
}

static int before_frame(nghttp2_session *session, const nghttp2_frame *f, void *userdata) {
        Http2Stream *s = nghttp2_session_get_stream_user_data(session, f->hd.stream_id);
        Http2 *c = userdata;

        switch (f->hd.type) {
        case NGHTTP2_HEADERS:
                if (!s || !s->work)
                        break;
                s->at = c->n_packed;
                http2_meter_give(&c->meter, 8); /* the frames of an answer that are no data */
                http_work_sent(s->work);
                break;
        case NGHTTP2_RST_STREAM: /* of a work that has not ended: libnghttp2's own */
                if (s)
                        s->invalid = true;
                break;
        case NGHTTP2_GOAWAY: /* libnghttp2's own, too, if it has an error; its words are the reason */
                copy_reason(c, &f->goaway);
                break;
        default:
                break;
        }
        return 0;
}

/* So many bytes of a body that they fill the record. */
static ssize_t on_data_length(nghttp2_session *session _unused_, uint8_t type _unused_, int32_t id _unused_,
                              int32_t connection_window _unused_, int32_t stream_window _unused_,
                              uint32_t max_frame, void *userdata) {
        Http2 *c = userdata;

        assert(c->n_out + HTTP2_FRAME_HEAD < HTTP2_RECORD);
        return (ssize_t) MIN(HTTP2_RECORD - HTTP2_FRAME_HEAD - c->n_out, max_frame);
}

/* --- the session --- */

static int make_callbacks(nghttp2_session_callbacks **ret) {
        nghttp2_session_callbacks *k;

        if (nghttp2_session_callbacks_new(&k) < 0)
                return -ENOMEM;
        nghttp2_session_callbacks_set_on_begin_headers_callback(k, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(k, on_header);
        nghttp2_session_callbacks_set_on_invalid_header_callback(k, on_invalid_header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(k, on_frame);
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(k, on_invalid_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(k, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(k, on_stream_close);
        nghttp2_session_callbacks_set_before_frame_send_callback(k, before_frame);
        nghttp2_session_callbacks_set_data_source_read_length_callback(k, on_data_length);
        *ret = k;
        return 0;
}

static int make_session(Http2 *c, const nghttp2_session_callbacks *callbacks) {
        nghttp2_mem memory = http2_memory_functions(&c->memory);
        nghttp2_option *o;
        int r;

        if (nghttp2_option_new(&o) < 0)
                return -ENOMEM;
        nghttp2_option_set_no_auto_window_update(o, 1);
        nghttp2_option_set_no_closed_streams(o, 1);
        nghttp2_option_set_peer_max_concurrent_streams(o, HTTP2_STREAMS_FIRST);
        nghttp2_option_set_max_reserved_remote_streams(o, 0);
        nghttp2_option_set_max_outbound_ack(o, HTTP2_ACKS_MAX);
        nghttp2_option_set_max_settings(o, HTTP2_SETTINGS_MAX);
        r = nghttp2_session_client_new3(&c->session, callbacks, c, o, &memory);
        nghttp2_option_del(o);
        return r < 0 ? -ENOMEM : 0;
}

int http2_session_new(Http2 *c) {
        const nghttp2_settings_entry settings[] = {
                { NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
                { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, HTTP2_STREAM_WINDOW },
                { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP2_HEAD_MAX },
        };
        nghttp2_session_callbacks *callbacks;
        int r;

        r = make_callbacks(&callbacks);
        if (r < 0)
                return r;
        r = make_session(c, callbacks);
        nghttp2_session_callbacks_del(callbacks);
        if (r < 0)
                return r;
        if (nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings, ELEMENTSOF(settings)) < 0 ||
            nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0, HTTP2_WINDOW) < 0)
                return -ENOMEM;
        return 0;
}
