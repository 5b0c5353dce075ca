/* SPDX-License-Identifier: MIT */
#pragma once

/* The ceilings of connections to Gemini that are being made; a part of base/limits.h. */

/* --- names --- */
#define RESOLVER_NAMES_MAX     64U /* answers kept; all names are an operator's, usually one */
#define RESOLVER_THREADS_MAX   8U  /* look-ups at one time: a name whose server is silent takes one */
#define RESOLVER_ADDRESSES_MAX 16U /* of a name: at 250 ms each, more would outlast most time-outs */
#define RESOLVER_NAME_MAX      253U /* bytes: DNS's own limit */

/* --- proxies --- */
#define TUNNEL_ANSWER_MAX (64U << 10) /* bytes of the answer to CONNECT, with a page for people */

/* --- TLS --- */
#define TLS_ORIGINS_MAX 64U        /* whose sessions are kept, of some KiB each */
#define TLS_CA_FILE_MAX (8U << 20) /* bytes of a file of certificates; Mozilla's have 0.2 MiB */
