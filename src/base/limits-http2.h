/* SPDX-License-Identifier: MIT */
#pragma once

/* The ceilings of a connection of gemgate's own that speaks HTTP/2: what the server can grow in it. */

/* --- streams --- */
#define HTTP2_STREAMS_FIRST 8U   /* until the first SETTINGS, which have the server's number */
#define HTTP2_STREAMS_MAX   256U /* whatever it takes: all their windows fit into the connection's */
#define HTTP2_STREAM_WINDOW (64U << 10) /* bytes that a paused call holds: the high mark of a stream */
#define HTTP2_WINDOW (HTTP2_STREAMS_MAX * HTTP2_STREAM_WINDOW) /* no stream waits for what others hold */

/* --- an answer --- */
#define HTTP2_HEAD_MAX  (64U << 10) /* bytes of all heads of an answer, decoded, as HTTP/1.1's head has */
#define HTTP2_LINES_MAX 256U        /* lines in all heads of an answer; Google sends some 15 */
#define HTTP2_HEADS_MAX 16U         /* heads with a status of 1xx, the final one, trailers */

/* --- a request --- */
#define HTTP2_REQUEST_HEAD_MAX (60U << 10) /* bytes: libnghttp2 does not send a head of more than 64 KiB */

/* --- what a server can send without an end --- */
#define HTTP2_FRAMES_BURST 2000 /* frames that bring no call on: see io/http2-meter.h */
#define HTTP2_FRAMES_RATE  100  /* more of them each second: pings, settings, empty data */
#define HTTP2_ACKS_MAX     128U /* answers to PING and SETTINGS that wait to be sent */
#define HTTP2_SETTINGS_MAX 32U  /* entries of one SETTINGS; there are some 10 kinds */
#define HTTP2_MEMORY_MAX (4U << 20) /* bytes that libnghttp2 takes for a connection; it takes some 40 KiB */
#define HTTP2_READS_MAX  16U /* reads in one turn of the loop, of 16 KiB each: others have their turn, too */
#define HTTP2_WRITES_MAX 16U /* writes, likewise */

/* --- times --- */
#define HTTP2_SILENCE (5 * USEC_PER_SEC) /* then a PING, and as long for its answer: a dead peer in 10 s */
#define HTTP2_STALL   (30 * USEC_PER_SEC) /* in which the server must read something of what waits for it */
