/* SPDX-License-Identifier: MIT */
#include "sim-service.h"

bool service_check(const ServiceCheck *c) {
        return service_check_tools(c) && service_check_turns(c) && service_check_generation(c);
}
