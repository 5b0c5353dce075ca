/* SPDX-License-Identifier: MIT */

/*
 * The CAs that a server's certificate is verified with. OpenSSL reads a directory by itself, one certificate
 * when it is needed. It would read a file at once. So the file is read here, a few certificates in each
 * slice of the loop.
 *
 * The system's file is SSL_CERT_FILE. Without this variable it is needed only where the system has no
 * directory with OpenSSL's names, such as in a container: then it is OpenSSL's default or, where that does
 * not exist, the first of `bundles`.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits-dial.h"
#include "base/text.h"
#include "io/tls-internal.h"

#define SLICE_CERTIFICATES 2U /* half a millisecond each */
#define SETTING "UPSTREAM_CA_FILE"

static const char *const bundles[] = {
        "/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu, Arch, Alpine, Gentoo */
        "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
        "/etc/ssl/ca-bundle.pem",             /* openSUSE */
        "/etc/ssl/cert.pem",                  /* BSD */
};

/* --- the file --- */

/* The text ends with a NUL. Neither open() nor read() waits for a FIFO. */
static int read_text(const char *path, char **ret, size_t *ret_n) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        _cleanup_free_ char *text = NULL;
        struct stat st;
        size_t n = 0;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -ENOTSUP;
        if (st.st_size > (off_t) TLS_CA_FILE_MAX)
                return -EFBIG;
        text = malloc((size_t) st.st_size + 1);
        if (!text)
                return -ENOMEM;
        while (n < (size_t) st.st_size) {
                ssize_t k = read(fd, text + n, (size_t) st.st_size - n);

                if (k < 0)
                        return -errno;
                if (k == 0)
                        break;
                n += (size_t) k;
        }
        text[n] = 0;
        *ret = TAKE_PTR(text);
        *ret_n = n;
        return 0;
}

/* The next certificate; other things in the file are passed over. 0: none is left. */
static int next_certificate(BIO *b, X509 **ret) {
        unsigned long code;

        ERR_clear_error();
        *ret = PEM_read_bio_X509_AUX(b, NULL, NULL, NULL);
        if (*ret)
                return 1;
        code = ERR_peek_last_error();
        ERR_clear_error();
        if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
                return 0;
        return ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE ? -ENOMEM : -EBADMSG;
}

int tls_check_ca_file(const char *path) {
        _cleanup_free_ char *text = NULL;
        size_t n, n_certificates = 0;
        X509 *x = NULL;
        BIO *b;
        int r;

        r = read_text(path, &text, &n);
        if (r < 0)
                return r;
        b = BIO_new_mem_buf(text, (int) n);
        if (!b)
                return -ENOMEM;
        while ((r = next_certificate(b, &x)) > 0) {
                X509_free(x);
                n_certificates++;
        }
        (void) BIO_free(b);
        return r == 0 && n_certificates == 0 ? -EBADMSG : r;
}

/* --- in slices --- */

static void drop_text(Tls *t) {
        loop_slice_remove(&t->slice);
        (void) BIO_free(t->bio);
        t->bio = NULL;
        free(TAKE_PTR(t->text));
}

static void finish(Tls *t, int r) {
        List waits = LIST_INIT(waits), *first;

        if (r < 0 && t->name)
                (void) snprintf(t->fault, sizeof(t->fault), "%s: %s", t->name,
                                r == -EBADMSG ? "must be certificates in PEM" :
                                r == -ENOTSUP ? "must be a regular file" : strerror(-r));
        drop_text(t);
        t->is_ready = true;
        (void) tls_ref(t); /* those who wait may have the last reference */
        list_splice(&waits, &t->waits);
        while ((first = list_first(&waits))) {
                TlsWait *w = list_entry(first, TlsWait, link);

                list_unlink(first);
                w->fn(w);
        }
        (void) tls_unref(t);
}

static void on_slice(void *userdata) {
        Tls *t = userdata;
        X509 *x = NULL;
        int r = 1;

        for (unsigned i = 0; r > 0 && i < SLICE_CERTIFICATES; i++) {
                r = next_certificate(t->bio, &x);
                if (r <= 0)
                        break;
                t->n_read++;
                if (X509_STORE_add_cert(SSL_CTX_get_cert_store(t->ctx), x) != 1)
                        r = -ENOMEM;
                X509_free(x);
        }
        ERR_clear_error();
        if (r <= 0)
                finish(t, r == 0 && t->n_read == 0 ? -EBADMSG : r);
}

static int start_file(Tls *t, const char *path) {
        size_t n;
        int r;

        r = read_text(path, &t->text, &n);
        if (r < 0)
                return r;
        t->bio = BIO_new_mem_buf(t->text, (int) n);
        if (!t->bio)
                return -ENOMEM;
        loop_slice_add(t->loop, &t->slice, on_slice, t);
        return 0;
}

/* --- which file --- */

static bool is_hash_name(const char *name) {
        size_t n = strspn(name, "0123456789abcdef");

        return n == 8 && name[n] == '.';
}

/* c_rehash and update-ca-certificates name certificates by a hash: `002c0b4f.0`. */
static bool has_hash_names(const char *path) {
        DIR *d = opendir(path);
        struct dirent *e;
        bool has = false;

        while (d && !has && (e = readdir(d)))
                has = is_hash_name(e->d_name);
        if (d)
                (void) closedir(d);
        return has;
}

static const char *system_file(void) {
        const char *variable = secure_getenv(X509_get_default_cert_file_env());

        if (!strnull(variable))
                return variable;
        if (!strnull(secure_getenv(X509_get_default_cert_dir_env())) ||
            has_hash_names(X509_get_default_cert_dir()))
                return NULL;
        if (access(X509_get_default_cert_file(), R_OK) == 0)
                return X509_get_default_cert_file();
        for (size_t i = 0; i < ELEMENTSOF(bundles); i++)
                if (access(bundles[i], R_OK) == 0)
                        return bundles[i];
        return NULL;
}

int tls_cas_start(Tls *t, const char *ca_file) {
        const char *file = ca_file;
        int r;

        if (!ca_file) {
                (void) SSL_CTX_set_default_verify_dir(t->ctx);
                file = system_file();
        } else if (asprintf(&t->name, SETTING ": %s", ca_file) < 0) {
                t->name = NULL;
                return -ENOMEM;
        }
        if (!file) {
                t->is_ready = true;
                return 0;
        }
        r = start_file(t, file);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                finish(t, r);
        return 0;
}

void tls_cas_stop(Tls *t) {
        assert(list_is_empty(&t->waits));
        drop_text(t);
        free(TAKE_PTR(t->name));
}

int tls_wait(Tls *t, TlsWait *w, void (*fn)(TlsWait *w)) {
        if (t->is_ready)
                return 1;
        w->fn = fn;
        list_append(&t->waits, &w->link);
        return 0;
}

void tls_stop(TlsWait *w) {
        list_unlink(&w->link);
}
