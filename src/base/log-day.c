/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <time.h>

#include "base/text.h"
#include "base/log-day.h"

#define DAY      86400
#define YEAR_MAX 9999 /* of four digits */

void log_day_name(int64_t day, char ret[static LOG_DAY_NAME_MAX]) {
        time_t t = (time_t) (day * DAY);
        struct tm tm = {};

        (void) gmtime_r(&t, &tm);
        (void) snprintf(ret, LOG_DAY_NAME_MAX, "gemgate-%04d-%02d-%02d.log",
                        MIN(tm.tm_year + 1900, YEAR_MAX), tm.tm_mon + 1, tm.tm_mday);
}

bool log_day_parse(const char *name, int64_t *ret) {
        char again[LOG_DAY_NAME_MAX];
        struct tm tm = {};
        int64_t day;

        if (sscanf(name, "gemgate-%4d-%2d-%2d.log", &tm.tm_year, &tm.tm_mon, &tm.tm_mday) != 3)
                return false;
        tm.tm_year -= 1900;
        tm.tm_mon -= 1;
        day = (int64_t) timegm(&tm) / DAY;
        log_day_name(day, again);
        if (!streq(name, again)) /* such as a 30th of February */
                return false;
        *ret = day;
        return true;
}
