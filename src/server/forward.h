/* SPDX-License-Identifier: MIT */
#pragma once

/* The names of the types that headers of this floor point to and do not look into. */

#include "io/forward.h"

typedef struct Exchange Exchange;
typedef struct Http Http;
typedef struct KeyQueue KeyQueue;
typedef struct KeyQueueOps KeyQueueOps;
typedef struct ModelList ModelList;
typedef struct Request Request;
typedef struct RequestLog RequestLog;
typedef struct Route Route;
