/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/text.h"

void answer_reset(Answer *a, const char *mark) {
        *a = (Answer){ .mark = mark };
}

static int hex_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void answer_head_byte(Answer *a, char c) {
        const char *length;

        if (a->n_head == ANSWER_HEAD_MAX - 1) {
                a->state = ANSWER_BAD;
                return;
        }
        a->head[a->n_head++] = c;
        if (a->n_head < 4 || memcmp(a->head + a->n_head - 4, "\r\n\r\n", 4) != 0)
                return;

        a->head[a->n_head] = '\0';
        if (!startswith(a->head, "HTTP/1.") || a->n_head < 13) {
                a->state = ANSWER_BAD;
                return;
        }
        for (const char *p = a->head + 9; *p >= '0' && *p <= '9' && a->status < 1000; p++)
                a->status = a->status * 10 + (unsigned) (*p - '0');
        if (strcasestr(a->head, "\r\ntransfer-encoding: chunked")) {
                a->state = ANSWER_CHUNK_SIZE;
                return;
        }
        length = strcasestr(a->head, "\r\ncontent-length:");
        if (!length) {
                a->state = ANSWER_UNTIL_CLOSE;
                return;
        }
        a->left = strtoull(length + strlen("\r\ncontent-length:"), NULL, 10);
        a->state = a->left > 0 ? ANSWER_LENGTH : ANSWER_DONE;
}

static void answer_body_byte(Answer *a, char c) {
        if (c == a->mark[a->n_matched]) {
                a->n_matched++;
                if (!a->mark[a->n_matched]) {
                        a->event_has_mark = true;
                        a->n_matched = 0;
                }
        } else
                a->n_matched = c == a->mark[0];

        if (c == '\r')
                return;
        if (c != '\n') {
                if (a->n_event_line++ == 0 && c == 'd') /* `data:`; a comment begins with a colon */
                        a->event_has_data = true;
                return;
        }
        if (a->n_event_line == 0 && a->event_has_data) {
                a->n_events++;
                a->complete = a->event_has_mark;
                a->event_has_data = a->event_has_mark = false;
        }
        a->n_event_line = 0;
}

static void answer_byte(Answer *a, char c) {
        int digit;

        switch (a->state) {
        case ANSWER_HEAD:
                answer_head_byte(a, c);
                return;
        case ANSWER_CHUNK_SIZE:
                if (c == '\n') {
                        a->state = a->n_line == 0 ? ANSWER_BAD
                                 : a->left == 0   ? ANSWER_TRAILER
                                                  : ANSWER_CHUNK_DATA;
                        a->n_line = 0;
                        return;
                }
                digit = hex_value(c);
                if (digit >= 0 && a->n_line < 8) {
                        a->left = a->left * 16 + (unsigned) digit;
                        a->n_line++;
                } else if (c != '\r')
                        a->state = ANSWER_BAD;
                return;
        case ANSWER_CHUNK_DATA:
                answer_body_byte(a, c);
                if (--a->left == 0)
                        a->state = ANSWER_CHUNK_END;
                return;
        case ANSWER_CHUNK_END:
                if (c == '\n')
                        a->state = ANSWER_CHUNK_SIZE;
                else if (c != '\r')
                        a->state = ANSWER_BAD;
                return;
        case ANSWER_TRAILER:
                if (c == '\n') {
                        if (a->n_line == 0)
                                a->state = ANSWER_DONE;
                        a->n_line = 0;
                } else if (c != '\r')
                        a->n_line++;
                return;
        case ANSWER_LENGTH:
                answer_body_byte(a, c);
                if (--a->left == 0)
                        a->state = ANSWER_DONE;
                return;
        case ANSWER_UNTIL_CLOSE:
                answer_body_byte(a, c);
                return;
        case ANSWER_DONE: /* no more was expected */
                a->state = ANSWER_BAD;
                return;
        case ANSWER_BAD:
                return;
        }
}

void answer_feed(Answer *a, const char *p, size_t n) {
        for (size_t i = 0; i < n && a->state != ANSWER_BAD; i++)
                answer_byte(a, p[i]);
}

bool answer_closed(Answer *a) {
        if (a->state == ANSWER_UNTIL_CLOSE)
                a->state = ANSWER_DONE;
        return a->state == ANSWER_DONE;
}
