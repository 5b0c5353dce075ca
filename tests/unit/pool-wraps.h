/* SPDX-License-Identifier: MIT */
#pragma once

/* The functions of the pool that a test may wrap (unit_link_args in meson.build). */

#include "pool/pool.h"

int __real_pool_pick_for(Pool *p, const PoolRequest *q, usec_t now, Lease *ret, PoolRefusal *ret_refusal);
int __wrap_pool_pick_for(Pool *p, const PoolRequest *q, usec_t now, Lease *ret, PoolRefusal *ret_refusal);
int __real_pool_pick_spare(Pool *p, const PoolRequest *q, const Lease *other, usec_t now, Lease *ret);
int __wrap_pool_pick_spare(Pool *p, const PoolRequest *q, const Lease *other, usec_t now, Lease *ret);
int __real_pool_pick_rotation_of(Pool *p, const PoolRequest *q, usec_t now, Lease *ret,
                                 PoolRefusal *ret_refusal);
int __wrap_pool_pick_rotation_of(Pool *p, const PoolRequest *q, usec_t now, Lease *ret,
                                 PoolRefusal *ret_refusal);
void __real_pool_report(Pool *p, Lease *lease, const Verdict *v, const Usage *usage, usec_t now);
void __wrap_pool_report(Pool *p, Lease *lease, const Verdict *v, const Usage *usage, usec_t now);
