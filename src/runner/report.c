/* SPDX-License-Identifier: MIT */
#include "base/job-protocol.h"
#include "base/json/write.h"
#include "base/text.h"
#include "runner/report.h"

static JWriter begin(Buf *b, const char *event) {
        JWriter w = JWRITER_INIT(b);

        jwrite_object(&w, NULL);
        jwrite_string(&w, "event", event);
        return w;
}

static int end(JWriter *w) {
        jwrite_end(w);
        return buf_putc(w->buf, '\n');
}

int report_ready(Buf *b, const char *isolation, const char *version) {
        JWriter w = begin(b, "ready");

        jwrite_string(&w, "isolation", isolation);
        jwrite_string(&w, "version", version);
        return end(&w);
}

/* The longest piece up to JOB_TEXT_MAX bytes that cuts no character. */
static size_t piece(const char *text, size_t n) {
        size_t k = JOB_TEXT_MAX;

        if (n <= k)
                return n;
        while (k > 0 && ((unsigned char) text[k] & 0xC0) == 0x80)
                k--;
        return k > 0 ? k : JOB_TEXT_MAX;
}

int report_text(Buf *b, const char *text, size_t n) {
        while (n > 0 && b->error == 0) {
                JWriter w = begin(b, "text");
                size_t k = piece(text, n);

                jwrite_string_n(&w, "text", text, k);
                (void) end(&w);
                text += k;
                n -= k;
        }
        return b->error;
}

int report_result(Buf *b, const Result *result) {
        JWriter w = begin(b, "result");
        const char *message = strempty(result->message);

        jwrite_string(&w, "status", result->status);
        jwrite_string_n(&w, "message", message, text_utf8_prefix(message, JOB_MESSAGE_MAX));
        jwrite_uint(&w, "messages", result->messages);
        if (result->exit_code >= 0)
                jwrite_int(&w, "exit_code", result->exit_code);
        else
                jwrite_null(&w, "exit_code");
        jwrite_int(&w, "signal", result->signal);
        jwrite_uint(&w, "skipped", result->skipped);
        jwrite_string_n(&w, "stderr", result->stderr_tail ?: "", result->n_stderr_tail);
        jwrite_array(&w, "argv");
        for (char *const *a = result->argv; a && *a; a++)
                jwrite_string(&w, NULL, *a);
        jwrite_end(&w);
        return end(&w);
}
