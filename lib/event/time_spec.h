/*
 * time_spec - the times of the command line (SPEC section 4).
 *
 * A time is said as a timestamp, as a day, by a word (now, today, yesterday, tomorrow), as an offset from now (-90s,
 * -15m, -2h, -7d, -4w, and the same with +), or in Unix seconds (@1770285600, @1770285600.5, @-1). A day, or the word
 * for one, stands for its first or its last microsecond, as the caller wants. `now` comes from the caller: nothing here
 * reads the clock.
 *
 * Both functions return STATUS_USAGE with a message that begins with `option` ("--since") where the text is nothing
 * of the kind, and where it leaves the years 1 to 9999.
 */
#ifndef METASPN_EVENT_TIME_SPEC_H
#define METASPN_EVENT_TIME_SPEC_H

#include <stdint.h>

#include "base/status.h"

/* Which end a day or a day word stands for. */
enum day_edge { DAY_EDGE_FIRST, DAY_EDGE_LAST };

enum status time_spec_parse(const char *option, const char *text, int64_t now, enum day_edge edge, int64_t *ret_time,
                            struct error *err);

/* The value of --day: a day or a day word (today, yesterday, tomorrow). */
enum status day_spec_parse(const char *option, const char *text, int64_t now, int32_t *ret_day, struct error *err);

#endif
