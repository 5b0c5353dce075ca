/* SPDX-License-Identifier: MIT */
#pragma once

/* The ceilings of gemgate's HTTP client: of what a server, or a proxy before it, sends. Those of whole
 * answers are in base/limits.h. */

/* --- the head of an answer; Google's have 1 KiB and 15 lines --- */
#define HTTP_ANSWER_HEAD_MAX (64U << 10) /* bytes of all heads of one answer, with the interim ones (1xx) */
#define HTTP_ANSWER_LINES_MAX 256U       /* of one head: each is passed on by itself */

/* --- chunks; answers are made of tens of thousands --- */
#define HTTP_ANSWER_WASTE_MAX (16U << 10) /* bytes of sizes and extensions beyond what the data explains */
#define HTTP_ANSWER_TRAILERS_MAX (16U << 10) /* bytes: checked and thrown away */

/* --- one connection --- */
#define HTTP_CLIENT_READ_MAX (32U << 10)  /* bytes of one read: what a call that was just paused holds */
#define HTTP_CLIENT_TURN_MAX (128U << 10) /* bytes read, or written, in a turn: 50 microseconds */
#define HTTP_CLIENT_PIECE_MAX (15U << 10) /* of a body that is not held; with its frame one record of TLS */
#define HTTP_REQUEST_HEAD_MAX (64U << 10) /* a target has 2 KiB, and some headers are a client's */

/* --- the pool of connections --- */
#define HTTP_POOL_IDLE_MAX 256U  /* idle HTTP/1.1 connections kept to a server: 1 KiB each, at TLS 24 */
#define HTTP_POOL_IDLE_TIME (60 * USEC_PER_SEC) /* then they end; Google's own servers wait for longer */
#define HTTP_POOL_ASK_TIME USEC_PER_SEC /* an HTTP/2 connection that was idle for longer answers a PING */
#define HTTP_WARM_WAIT_FIRST USEC_PER_SEC /* UPSTREAM_WARM: before the next dial; twice as long each time */
#define HTTP_WARM_WAIT_MAX (60 * USEC_PER_SEC) /* again the first after a connection that lived as long */
#define HTTP_POOL_LACK_TIME USEC_PER_SEC /* between looks at calls that wait for a descriptor */
#define HTTP_POOL_AGAIN_MAX 3U   /* how often a request that was not processed is sent once more */
#define HTTP_POOL_HELD_MAX (256U << 10) /* of a paused answer: more than a connection passes on then */
#define HTTP_POOL_STREAMS 100U   /* that a new HTTP/2 connection is expected to take */
/* With lost packets one is too few for 64 calls, and eight are no better: docs/PERFORMANCE.md. */
#define HTTP_POOL_SPREAD 4U      /* HTTP/2 connections that are made although others have room */
#define HTTP_POOL_SPREAD_STREAMS 8U /* on each of them before */
#define HTTP_POOL_SPARE_STREAMS 10U /* room left when another is made */
#define HTTP_POOL_SPREAD_PAUSE USEC_PER_SEC /* after one of them has failed */
