/* samples - filters of every sort, as fixed as the dictionaries that name the same words. */
#ifndef METASPN_SAMPLES_H
#define METASPN_SAMPLES_H

#include <stddef.h>

#include "event/filter.h"

#define SAMPLE_FILTERS 14

/* The filter of this number (below SAMPLE_FILTERS), made at its first use and kept until the process ends. */
struct filter *sample_filter(size_t number);

#endif
