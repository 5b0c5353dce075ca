/* SPDX-License-Identifier: MIT */
#pragma once

/* Texts of GET /stats and GetStatistics that describe how the pool works. */

#define POOL_DESCRIBE_STRATEGY \
        "of the usable keys the one with the least requests today on the model, then the least in all, " \
        "then the one unused for longest"

#define POOL_DESCRIBE_HEALTH_CHECK \
        "three errors in a row of a key's own fault set it aside for that model; a single request tries " \
        "it again after 30 s, then after growing waits up to 30 min"

#define POOL_DESCRIBE_MODEL_ISOLATION \
        "health and quota are kept for each model: what a key did on one never sets it aside for another"
