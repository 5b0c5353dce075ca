/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reads a body of multipart/form-data (RFC 7578) in place: parts behind each other, each with a name and
 * perhaps a file's name and type. A part is a view of the body; nothing is copied but these words, which are
 * cut if they are too long.
 */

#include <stddef.h>

#include "base/limits-media.h"

typedef struct Multipart {
        const char *p, *end;
        char delimiter[MULTIPART_BOUNDARY_MAX + 5]; /* CR LF -- and the boundary */
        size_t n_delimiter;
        unsigned n_parts;
} Multipart;

typedef struct MultipartPart {
        char name[MULTIPART_WORD_MAX + 1];
        char filename[MULTIPART_WORD_MAX + 1]; /* or "" */
        char type[MULTIPART_WORD_MAX + 1];     /* or "" */
        const char *data;
        size_t n;
} MultipartPart;

/* `content_type`: the request's header; NULL: it has none. -EINVAL: it is not that of a form. */
int multipart_begin(Multipart *m, const char *content_type, const char *body, size_t n);

/* 1: a part. 0: the end. -EBADMSG: the body is broken, or cut off. -E2BIG: too many parts, or too long a
 * head of a part. */
int multipart_next(Multipart *m, MultipartPart *ret);
