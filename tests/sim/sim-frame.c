/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <errno.h>
#include <openssl/sha.h>

#include "base/base64.h"
#include "base/text.h"
#include "sim-frame.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

typedef struct Head {
        bool is_last, is_masked;
        unsigned opcode;
        uint64_t n;
        size_t size; /* of the head, with the mask */
        unsigned char mask[4];
} Head;

static int fail(FrameReader *r, const char *fault) {
        r->fault = fault;
        return -EPROTO;
}

static bool is_control(unsigned opcode) {
        return opcode >= FRAME_CLOSE;
}

/* 1, 0 or -EPROTO. */
static int read_head(FrameReader *r, const Buf *in, Head *ret) {
        const unsigned char *p = (const unsigned char *) (in->n > 0 ? buf_data(in) : "");
        uint16_t n16;
        uint64_t n64;

        if (in->n < 2)
                return 0;
        *ret = (Head){ .is_last = p[0] & 0x80, .is_masked = p[1] & 0x80, .opcode = p[0] & 0x0F, .size = 2 };
        if (p[0] & 0x70)
                return fail(r, "a reserved bit is set");
        if (!ret->is_masked)
                return fail(r, "a frame of the client is not masked");
        if (ret->opcode > FRAME_PONG || (ret->opcode > FRAME_BINARY && ret->opcode < FRAME_CLOSE))
                return fail(r, "an opcode is unknown");
        ret->n = p[1] & 0x7F;
        if (is_control(ret->opcode) && (ret->n > 125 || !ret->is_last))
                return fail(r, "a control frame is long, or in pieces");
        if (ret->n >= 126) {
                size_t k = ret->n == 126 ? 2 : 8;

                if (in->n < 2 + k)
                        return 0;
                memcpy(&n16, p + 2, sizeof(n16));
                memcpy(&n64, p + 2, k == 8 ? sizeof(n64) : 0);
                ret->n = k == 2 ? be16toh(n16) : be64toh(n64);
                ret->size += k;
                if (ret->n < (k == 2 ? 126U : 65536U))
                        return fail(r, "a length is not written in the shortest form");
        }
        if (ret->n > FRAME_MESSAGE_MAX)
                return fail(r, "a frame is too long");
        if (in->n < ret->size + sizeof(ret->mask))
                return 0;
        memcpy(ret->mask, p + ret->size, sizeof(ret->mask));
        ret->size += sizeof(ret->mask);
        return 1;
}

/* Appends the payload, and takes the frame off `in`. */
static void take(const Head *h, Buf *in, Buf *out) {
        char *p = buf_data(in) + h->size;

        for (size_t i = 0; i < h->n; i++)
                p[i] ^= (char) h->mask[i % 4];
        (void) buf_append(out, p, h->n);
        buf_consume(in, h->size + h->n);
}

static int give(FrameReader *r, unsigned opcode, Frame *ret) {
        if (r->whole.error < 0)
                return fail(r, "a message is too long");
        if (opcode == FRAME_TEXT && !text_is_utf8(strempty(buf_cstr(&r->whole)), r->whole.n))
                return fail(r, "a text is not UTF-8");
        *ret = (Frame){ .opcode = opcode, .p = buf_cstr(&r->whole), .n = r->whole.n };
        return ret->p ? 1 : fail(r, "no memory");
}

int frame_read(FrameReader *r, Buf *in, Frame *ret) {
        Head h;
        int k;

        buf_clear(&r->whole);
        for (;;) {
                k = read_head(r, in, &h);
                if (k <= 0 || in->n < h.size + h.n)
                        return MIN(k, 0);
                if (is_control(h.opcode)) {
                        take(&h, in, &r->whole);
                        return give(r, h.opcode, ret);
                }
                if ((h.opcode == FRAME_CONTINUATION) != (r->opcode != 0))
                        return fail(r, "a piece of a message is not where one belongs");
                r->opcode = r->opcode ?: h.opcode;
                take(&h, in, &r->message);
                if (!h.is_last)
                        continue;
                buf_done(&r->whole);
                r->whole = r->message;
                r->message = BUF_INIT(FRAME_MESSAGE_MAX);
                k = give(r, r->opcode, ret);
                r->opcode = 0;
                return k;
        }
}

void frame_reader_done(FrameReader *r) {
        buf_done(&r->message);
        buf_done(&r->whole);
}

void frame_write(Buf *out, unsigned opcode, bool is_last, const void *p, size_t n) {
        unsigned char head[10] = { (unsigned char) (opcode | (is_last ? 0x80 : 0)) };
        size_t k = 2;

        if (n < 126)
                head[1] = (unsigned char) n;
        else if (n <= UINT16_MAX) {
                head[1] = 126;
                memcpy(head + 2, &(uint16_t){ htobe16((uint16_t) n) }, 2);
                k = 4;
        } else {
                head[1] = 127;
                memcpy(head + 2, &(uint64_t){ htobe64(n) }, 8);
                k = 10;
        }
        (void) buf_append(out, head, k);
        (void) buf_append(out, p, n);
}

void frame_write_close(Buf *out, unsigned code, const char *reason) {
        char payload[125];
        size_t n = text_utf8_prefix(reason, sizeof(payload) - 2);

        memcpy(payload, &(uint16_t){ htobe16((uint16_t) code) }, 2);
        memcpy(payload + 2, reason, n);
        frame_write(out, FRAME_CLOSE, true, payload, 2 + n);
}

int frame_accept(const char *key, char ret[static FRAME_ACCEPT_MAX]) {
        _cleanup_buf_ Buf nonce = BUF_INIT(256), all = BUF_INIT(256), text = BUF_INIT(FRAME_ACCEPT_MAX);
        Base64Reader r = {};
        unsigned char sum[SHA_DIGEST_LENGTH];

        if (!key || strlen(key) != 24 || base64_read(&r, key, 24, &nonce) < 0 || nonce.n != 16)
                return -EINVAL;
        (void) buf_puts(&all, key);
        (void) buf_puts(&all, GUID);
        (void) SHA1((const unsigned char *) buf_data(&all), all.n, sum);
        if (base64_append(&text, sum, sizeof(sum)) < 0)
                return -ENOMEM;
        text_copy(ret, FRAME_ACCEPT_MAX, buf_cstr(&text));
        return 0;
}
