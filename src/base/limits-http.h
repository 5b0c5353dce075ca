/* SPDX-License-Identifier: MIT */
#pragma once

/* The ceilings of what a client sends before its request is complete; a part of base/limits.h. */

/* --- the head --- */
#define HTTP_HEADERS_MAX (16U << 10) /* libmicrohttpd's pool for one request's headers; above it 431 */
#define HTTP_ARGUMENTS_MAX 100U /* of a query: libmicrohttpd keeps some 70 bytes for each, in that pool */
#define HTTP_HEAD_TIMEOUT (30 * USEC_PER_SEC) /* for a whole head, however many pieces it arrives in */

/* --- chunks --- */
#define HTTP_CHUNK_EXTENSIONS_MAX (16U << 10) /* bytes in a whole body: hardly a client sends any */
#define HTTP_TRAILERS_MAX (4U << 10) /* bytes: likewise, and libmicrohttpd keeps them */

/* --- descriptors: see io/descriptors.c. The rest has 128: names that are resolved take 30, the bus and its
 * peers 20, sockets that listen, the state file, the log and the runners of jobs some 40 --- */
#define DESCRIPTORS_RESERVE        128U /* of a small limit half */
#define DESCRIPTORS_SHARED_CLIENTS 64U  /* of one HTTP/2 connection: it carries 100 streams */
#define DESCRIPTORS_SHARED_SPARE   8U   /* HTTP/2 connections that are made before they are needed */
#define DESCRIPTORS_OTHER(clients) ((clients) / 256U + 2U) /* an epoll instance for HTTP_SHARD_MAX */

/* --- connections: MAX_CONNECTIONS is a setting --- */
#define HTTP_GUESTS_MAX(all) MAX((all) / 8, 1U) /* connections of addresses that are not allowed */
#define HTTP_GUEST_TIMEOUT (10 * USEC_PER_SEC) /* for their only request: health checks take milliseconds */

/* --- pages of other origins (CORS_ORIGINS); a browser's list of headers has some hundred bytes --- */
#define CORS_ORIGINS_MAX 64U /* each request of a page is compared with all of them */
#define CORS_ORIGIN_MAX 300U /* bytes: a scheme, a name of 253, a port */
#define CORS_HEADER_NAMES_MAX 2048U /* bytes of Access-Control-Request-Headers, which is sent back */

/* --- the body: MAX_BODY and MAX_INFLIGHT_BYTES are settings --- */
#define HTTP_SWALLOW_MAX (8U << 20) /* bytes read of a too large body, so that the client gets the 413 */
#define HTTP_SKIPPED_BODY_MAX 1024U /* bytes read where no body is wanted: some clients send `{}` */
#define HTTP_SMALL_BODY_MAX (256U << 10) /* may use the reserve of MAX_INFLIGHT_BYTES: nearly all chats */
#define HTTP_BODY_WINDOW (30 * USEC_PER_SEC) /* after each, the body's progress is looked at */
#define HTTP_BODY_WINDOW_MIN (30U << 10) /* bytes in each: 1 KiB/s, below what any radio link has */
#define HTTP_BODY_WINDOWS_MAX 60U /* a body has half an hour: 32 MiB at 18 KiB/s */

/* --- a body that is passed on: MAX_UPLOAD is a setting; its least rate is that of any body --- */
#define HTTP_PASS_MAX (256U << 10) /* bytes that wait for Google, and count as held: a small body */
#define HTTP_PASS_LOW (HTTP_PASS_MAX / 4) /* below it the client is read again */
#define HTTP_LINGER (5 * USEC_PER_SEC) /* what comes behind an early answer is read for so long */
