/* SPDX-License-Identifier: MIT */

/*
 * The blocks of an answer, one strictly after the other. A text or thoughts go on until something else
 * comes, so they are open as long as more may be added. A stream has deltas of the open block; an answer in
 * one piece is collected: the open block's text, then whole blocks.
 */

#include "dialect/anthropic/answer.h"

#define DELTA "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"

static bool streams(const AnthropicMessage *m) {
        return translation_streams(&m->t);
}

/* --- a stream --- */

/* content_block_start, up to the block. The block's index is that of the last one. */
static JWriter open_start(AnthropicMessage *m, Buf *out) {
        JWriter w;

        anthropic_message_begin(m, out);
        w = anthropic_event_open(out, "content_block_start");
        jwrite_uint(&w, "index", m->content.n++);
        return w;
}

/* Up to the value of the delta's member, and behind it. */
static void open_delta(const AnthropicMessage *m, const char *type, const char *member, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        (void) buf_puts(out, DELTA);
        jwrite_uint(&w, NULL, m->content.n - 1);
        (void) buf_puts(out, ",\"delta\":{\"type\":\"");
        (void) buf_puts(out, type);
        (void) buf_puts(out, "\",\"");
        (void) buf_puts(out, member);
        (void) buf_puts(out, "\":");
}

static void close_delta(Buf *out) {
        (void) buf_puts(out, "}}\n\n");
}

static void stop_block(const AnthropicMessage *m, Buf *out) {
        JWriter w = anthropic_event_open(out, "content_block_stop");

        jwrite_uint(&w, "index", m->content.n - 1);
        anthropic_event_close(&w);
}

/* --- one piece --- */

/* A further element of the array. */
static JWriter open_element(AnthropicMessage *m) {
        JWriter w = JWRITER_INIT(&m->content.done);

        if (m->content.n++ > 0)
                (void) buf_putc(&m->content.done, ',');
        return w;
}

static void write_text(JWriter *w, const char *key, const Buf *text) {
        jwrite_raw_n(w, key, "\"", 1);
        if (text->n > 0)
                (void) buf_append(w->buf, buf_data(text), text->n);
        (void) buf_putc(w->buf, '"');
}

static void write_signature(const AnthropicMessage *m, JWriter *w) {
        const Buf *signature = &m->content.signature;

        if (signature->n > 0)
                jwrite_raw_n(w, "signature", buf_data(signature), signature->n);
        else
                jwrite_string(w, "signature", "");
}

static void collect_open(AnthropicMessage *m) {
        JWriter w = open_element(m);
        const Buf *citations = &m->content.citations;

        jwrite_object(&w, NULL);
        if (m->content.open == ANTHROPIC_THINKING) {
                jwrite_string(&w, "type", "thinking");
                write_text(&w, "thinking", &m->content.text);
                write_signature(m, &w);
        } else {
                jwrite_string(&w, "type", "text");
                write_text(&w, "text", &m->content.text);
                if (citations->n > 0) {
                        jwrite_array(&w, "citations");
                        (void) buf_append(w.buf, buf_data(citations), citations->n);
                        jwrite_end(&w);
                }
        }
        jwrite_end(&w);
}

/* --- both --- */

static void close_stream(AnthropicMessage *m, Buf *out) {
        const Buf *signature = &m->content.signature;

        if (m->content.open == ANTHROPIC_THINKING && signature->n > 0) {
                open_delta(m, "signature_delta", "signature", out);
                (void) buf_append(out, buf_data(signature), signature->n);
                close_delta(out);
        }
        stop_block(m, out);
}

void anthropic_block_close(AnthropicMessage *m, Buf *out) {
        if (m->content.open == ANTHROPIC_NONE)
                return;
        if (streams(m))
                close_stream(m, out);
        else
                collect_open(m);
        m->content.open = ANTHROPIC_NONE;
        buf_clear(&m->content.text);
        buf_clear(&m->content.signature);
        buf_clear(&m->content.citations);
}

static void open_block(AnthropicMessage *m, AnthropicBlock kind, Buf *out) {
        JWriter w;

        if (m->content.open == kind)
                return;
        anthropic_block_close(m, out);
        m->content.open = kind;
        if (!streams(m))
                return;
        w = open_start(m, out);
        jwrite_raw(&w, "content_block",
                   kind == ANTHROPIC_TEXT ? "{\"type\":\"text\",\"text\":\"\"}"
                                          : "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}");
        anthropic_event_close(&w);
}

/* Where the piece is to be written, with JSON's escapes. */
static Buf *begin_piece(AnthropicMessage *m, AnthropicBlock kind, Buf *out) {
        open_block(m, kind, out);
        if (!streams(m))
                return &m->content.text;
        if (kind == ANTHROPIC_TEXT)
                open_delta(m, "text_delta", "text", out);
        else
                open_delta(m, "thinking_delta", "thinking", out);
        (void) buf_putc(out, '"');
        return out;
}

static void end_piece(const AnthropicMessage *m, Buf *out) {
        if (!streams(m))
                return;
        (void) buf_putc(out, '"');
        close_delta(out);
}

void anthropic_text_add(AnthropicMessage *m, JsonView string, Buf *out) {
        json_copy_escaped(begin_piece(m, ANTHROPIC_TEXT, out), string);
        end_piece(m, out);
}

void anthropic_text_add_plain(AnthropicMessage *m, const char *s, size_t n, Buf *out) {
        jwrite_escape(begin_piece(m, ANTHROPIC_TEXT, out), s, n);
        end_piece(m, out);
}

void anthropic_thought_add(AnthropicMessage *m, JsonView string, Buf *out) {
        json_copy_escaped(begin_piece(m, ANTHROPIC_THINKING, out), string);
        end_piece(m, out);
}

void anthropic_thought_sign(AnthropicMessage *m, JsonView signature, Buf *out) {
        JWriter w = JWRITER_INIT(&m->content.signature);

        open_block(m, ANTHROPIC_THINKING, out);
        buf_clear(&m->content.signature);
        json_copy_value(&w, NULL, signature);
}

void anthropic_text_cite(AnthropicMessage *m, const Buf *citation, Buf *out) {
        Buf *citations = &m->content.citations;

        if (m->content.open != ANTHROPIC_TEXT || citation->n == 0)
                return;
        if (streams(m)) {
                open_delta(m, "citations_delta", "citation", out);
                (void) buf_append(out, buf_data(citation), citation->n);
                close_delta(out);
                return;
        }
        if (citations->n > 0)
                (void) buf_putc(citations, ',');
        (void) buf_append(citations, buf_data(citation), citation->n);
}

static void write_use(JWriter *w, const char *key, const char *type, const char *id, JsonView name,
                      JsonView input) {
        jwrite_object(w, key);
        jwrite_string(w, "type", type);
        jwrite_string(w, "id", id);
        json_copy_value(w, "name", name);
        json_copy_value(w, "input", input);
        jwrite_end(w);
}

void anthropic_use_add(AnthropicMessage *m, const char *type, const char *id, JsonView name, JsonView input,
                       Buf *out) {
        JWriter w;

        anthropic_block_close(m, out);
        if (!streams(m)) {
                w = open_element(m);
                write_use(&w, NULL, type, id, name, input);
                return;
        }
        w = open_start(m, out);
        write_use(&w, "content_block", type, id, name, json_view("{}", 2));
        anthropic_event_close(&w);
        open_delta(m, "input_json_delta", "partial_json", out);
        w = (JWriter) JWRITER_INIT(out);
        json_copy_as_string(&w, NULL, input);
        close_delta(out);
        stop_block(m, out);
}

void anthropic_block_add(AnthropicMessage *m, const Buf *block, Buf *out) {
        JWriter w;

        anthropic_block_close(m, out);
        if (!streams(m)) {
                w = open_element(m);
                (void) buf_append(w.buf, buf_data(block), block->n);
                return;
        }
        w = open_start(m, out);
        jwrite_raw_n(&w, "content_block", buf_data(block), block->n);
        anthropic_event_close(&w);
        stop_block(m, out);
}
