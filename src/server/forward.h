/* SPDX-License-Identifier: MIT */
#pragma once

/* Forward declarations of the types to which headers of this folder only have pointers. */

#include "io/forward.h"

typedef struct Exchange Exchange;
typedef struct Http Http;
typedef struct KeyQueue KeyQueue;
typedef struct KeyQueueOps KeyQueueOps;
typedef struct Live Live;
typedef struct LiveCounts LiveCounts;
typedef struct LiveSessions LiveSessions;
typedef struct ModelList ModelList;
typedef struct Request Request;
typedef struct RequestLog RequestLog;
typedef struct Route Route;
typedef struct ResponseStore ResponseStore;
typedef struct Vault Vault;
