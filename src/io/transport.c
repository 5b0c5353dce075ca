/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "io/descriptors.h"
#include "io/tls.h"
#include "io/transport.h"

#define RECORD_MAX (16U << 10) /* TLS's own limit */

struct Transport {
        int fd;
        uint16_t n_repeat; /* bytes of a record that is encrypted, but not sent; 0: none */
        bool is_dry;       /* the last read has found nothing more */
        bool has_failed;
        SSL *ssl;          /* NULL: plain */
        Descriptors *descriptors; /* that count it; NULL: none */
        size_t n_counted;
        const char *error; /* static */
        void (*freed)(void *userdata); /* NULL: the descriptor is ours */
        void *userdata;
};

int transport_new(int fd, SSL *ssl, Transport **ret) {
        Transport *t = calloc(1, sizeof(Transport));

        assert(fd >= 0);
        if (!t) {
                (void) tls_close(ssl);
                (void) safe_close(fd);
                return -ENOMEM;
        }
        *t = (Transport){ .fd = fd, .ssl = ssl, .error = "" };
        *ret = t;
        return 0;
}

void transport_count(Transport *t, Descriptors *d, size_t n) {
        assert(!t->descriptors);

        t->descriptors = d;
        for (; t->n_counted < n; t->n_counted++)
                descriptors_take(d, DESCRIPTOR_UPSTREAM);
}

int transport_new_lent(int fd, void (*freed)(void *userdata), void *userdata, Transport **ret) {
        Transport *t = calloc(1, sizeof(Transport));

        assert(fd >= 0 && freed);
        if (!t)
                return -ENOMEM;
        *t = (Transport){ .fd = fd, .error = "", .freed = freed, .userdata = userdata };
        *ret = t;
        return 0;
}

Transport *transport_free(Transport *t) {
        void (*freed)(void *userdata);
        void *userdata;

        if (!t)
                return NULL;
        freed = t->freed;
        userdata = t->userdata;
        if (t->ssl && !t->has_failed)
                tls_send_end(t->ssl);
        (void) tls_close(t->ssl);
        if (!freed)
                (void) safe_close(t->fd);
        for (; t->n_counted > 0; t->n_counted--)
                descriptors_give(t->descriptors, DESCRIPTOR_UPSTREAM);
        free(t);
        if (freed)
                freed(userdata);
        return NULL;
}

int transport_fd(const Transport *t) {
        return t->fd;
}

/* Also keeps the reason of a failure of the socket. */
static ssize_t result_of(Transport *t, ssize_t k) {
        if (k >= 0)
                return k;
        k = -errno;
        if (k != -EAGAIN)
                t->error = strerrordesc_np(errno) ?: "unknown error";
        return k;
}

static ssize_t result_of_tls(Transport *t, ssize_t k) {
        t->has_failed |= k < 0 && k != -EAGAIN;
        return k;
}

ssize_t transport_read(Transport *t, void *p, size_t n) {
        ssize_t k;

        assert(n > 0);
        if (t->ssl) {
                k = result_of_tls(t, tls_read(t->ssl, p, n, &t->error));
                t->is_dry = k <= 0;
                return k;
        }
        do
                k = recv(t->fd, p, n, 0);
        while (k < 0 && errno == EINTR);
        return result_of(t, k);
}

static size_t join(const struct iovec *v, int n_v, char *ret, size_t max) {
        size_t n = 0;

        for (int i = 0; i < n_v && n < max; i++) {
                size_t k = MIN(v[i].iov_len, max - n);

                if (k > 0) /* else there may be no base */
                        memcpy(ret + n, v[i].iov_base, k);
                n += k;
        }
        return n;
}

/* OpenSSL wants the same number of bytes again, too. */
static ssize_t write_record(Transport *t, const struct iovec *v, int n_v) {
        size_t max = t->n_repeat ?: RECORD_MAX, n;
        char record[RECORD_MAX];
        const void *p = record;
        ssize_t k;

        while (n_v > 0 && v->iov_len == 0)
                v++, n_v--;
        if (n_v > 0 && (n_v == 1 || v->iov_len >= max)) {
                p = v->iov_base;
                n = MIN(v->iov_len, max);
        } else
                n = join(v, n_v, record, max);
        assert(n > 0 && (n == t->n_repeat || t->n_repeat == 0));
        k = result_of_tls(t, tls_write(t->ssl, p, n, &t->error));
        t->n_repeat = k == -EAGAIN ? (uint16_t) n : 0;
        return k;
}

ssize_t transport_write(Transport *t, const struct iovec *v, int n_v) {
        const struct msghdr m = { .msg_iov = (struct iovec *) (uintptr_t) v, .msg_iovlen = (size_t) n_v };
        ssize_t k;

        if (t->ssl)
                return write_record(t, v, n_v);
        do
                k = sendmsg(t->fd, &m, MSG_NOSIGNAL);
        while (k < 0 && errno == EINTR);
        return result_of(t, k);
}

bool transport_has_pending(const Transport *t) {
        return t->ssl && !t->is_dry && tls_has_rest(t->ssl);
}

bool transport_is_http2(const Transport *t) {
        return t->ssl && tls_is_http2(t->ssl);
}

const char *transport_error(const Transport *t) {
        return t->error;
}
