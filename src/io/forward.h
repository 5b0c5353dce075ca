/* SPDX-License-Identifier: MIT */
#pragma once

/* The names of the types of this floor that headers point to and do not look into. */

typedef struct CurlGlue CurlGlue;
typedef struct GiveBack GiveBack;
typedef struct HttpRequest HttpRequest;
typedef struct HttpServer HttpServer;
typedef struct PathWatch PathWatch;
typedef struct Resolver Resolver;
typedef struct Timeout Timeout;
typedef struct TimeoutQueue TimeoutQueue;
typedef struct Timer Timer;
typedef struct Tls Tls;
typedef struct Transport Transport;
typedef struct Tunnel Tunnel;
typedef struct Websocket Websocket;
typedef struct Worker Worker;
